// net/http: a goroutine for each connection, on as many threads as the runtime likes.
package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/gomodule/redigo/redis"
	_ "github.com/lib/pq"
)

var database *sql.DB

var poolSize, _ = strconv.Atoi(os.Getenv("POOL_SIZE"))

var store = redis.Pool{
	MaxIdle:   poolSize,
	MaxActive: poolSize,
	Wait:      true,
	Dial: func() (redis.Conn, error) {
		return redis.Dial("tcp", "127.0.0.1:"+os.Getenv("REDIS_PORT"))
	},
}

func reversed(text string) string {
	bytes := []byte(text)
	for i, j := 0, len(bytes)-1; i < j; i, j = i+1, j-1 {
		bytes[i], bytes[j] = bytes[j], bytes[i]
	}
	return string(bytes)
}

// A part of what a request does.
type step func(mark string) error

func insert(mark string) error {
	_, err := database.Exec("INSERT INTO visits (mark) VALUES ($1)", mark)
	return err
}

func echo(mark string) error {
	_, err := exec.Command("/bin/echo", mark).Output()
	return err
}

func touch(mark string) error {
	path := filepath.Join(os.Getenv("WORK_DIR"), mark+".txt")
	if err := os.WriteFile(path, []byte("visited\n"), 0o644); err != nil {
		return err
	}
	return os.Remove(path)
}

func exists(mark string) error {
	connection := store.Get()
	defer connection.Close()
	_, err := connection.Do("EXISTS", "visit:"+mark)
	return err
}

func comment(mark string) error {
	_, err := database.Exec("SELECT 1 /* " + mark + " */")
	return err
}

func inOrder(steps ...step) step {
	return func(mark string) error {
		for _, next := range steps {
			if err := next(mark); err != nil {
				return err
			}
		}
		return nil
	}
}

// Each in a goroutine of its own; waits for all.
func atOnce(steps ...step) step {
	return func(mark string) error {
		errs := make([]error, len(steps))
		var group sync.WaitGroup
		group.Add(len(steps))
		for index := range steps {
			go func(index int) {
				defer group.Done()
				errs[index] = steps[index](mark)
			}(index)
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
}

var routes = map[string]step{
	"/work":     inOrder(insert, echo, touch, exists, comment),
	"/parallel": atOnce(inOrder(insert, comment), echo, inOrder(touch, exists)),
}

func main() {
	var err error
	if database, err = sql.Open("postgres", "sslmode=disable"); err != nil {
		panic(err)
	}
	database.SetMaxOpenConns(poolSize)
	database.SetMaxIdleConns(poolSize)
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		work, ok := routes[request.URL.Path]
		if !ok {
			fmt.Fprint(response, "ready\n")
			return
		}
		given := request.URL.Query().Get("id")
		mark := given
		if request.URL.Query().Get("carry") == "reversed" {
			mark = reversed(given)
		}
		if err := work(mark); err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(response, "done %s\n", given)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
