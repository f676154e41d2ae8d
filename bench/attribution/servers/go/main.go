// net/http: a goroutine for each connection, on as many threads as the runtime likes.
package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/gomodule/redigo/redis"
	_ "github.com/lib/pq"
)

var database *sql.DB

var store = redis.Pool{
	MaxIdle:   8,
	MaxActive: 8,
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

func exists(key string) error {
	connection := store.Get()
	defer connection.Close()
	_, err := connection.Do("EXISTS", key)
	return err
}

func work(mark string) error {
	if _, err := database.Exec("INSERT INTO visits (mark) VALUES ($1)", mark); err != nil {
		return err
	}
	if _, err := exec.Command("/bin/echo", mark).Output(); err != nil {
		return err
	}
	path := filepath.Join(os.Getenv("WORK_DIR"), mark+".txt")
	if err := os.WriteFile(path, []byte("visited\n"), 0o644); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	if err := exists("visit:" + mark); err != nil {
		return err
	}
	_, err := database.Exec("SELECT 1 /* " + mark + " */")
	return err
}

func main() {
	var err error
	if database, err = sql.Open("postgres", "sslmode=disable"); err != nil {
		panic(err)
	}
	database.SetMaxOpenConns(8)
	database.SetMaxIdleConns(8)
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/work" {
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
