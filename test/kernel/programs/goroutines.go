// net/http, with the work of each request in goroutines of its own.
//
//	goroutines PORT
//
// A request /work?id=X&port=P&mode=M runs /bin/echo X, writes and reads WORK_DIR/X.txt and connects to P; with carry=reversed
// the effects carry X backwards. The modes:
//
//	together  the handler waits for them and answers
//	later     they begin when the reply is written
//	worker    one goroutine does the work of all, one after the other; the first request starts it
package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

func reversed(text string) string {
	bytes := []byte(text)
	for i, j := 0, len(bytes)-1; i < j; i, j = i+1, j-1 {
		bytes[i], bytes[j] = bytes[j], bytes[i]
	}
	return string(bytes)
}

func stepsOf(query url.Values) []func() {
	mark := query.Get("id")
	if query.Get("carry") == "reversed" {
		mark = reversed(mark)
	}
	return []func(){
		func() { exec.Command("/bin/echo", mark).Run() },
		func() {
			path := filepath.Join(os.Getenv("WORK_DIR"), mark+".txt")
			os.WriteFile(path, []byte(mark), 0o644)
			os.ReadFile(path)
		},
		func() {
			if connection, err := net.Dial("tcp", "127.0.0.1:"+query.Get("port")); err == nil {
				connection.Close()
			}
		},
	}
}

var (
	start sync.Once
	jobs  = make(chan func(), 1024)
)

func work(query url.Values) {
	var group sync.WaitGroup
	steps := stepsOf(query)
	switch query.Get("mode") {
	case "together":
		group.Add(len(steps))
		for _, step := range steps {
			go func() {
				defer group.Done()
				step()
			}()
		}
	case "later":
		for _, step := range steps {
			go func() {
				time.Sleep(6 * time.Millisecond)
				step()
			}()
		}
		// So that others are in flight when they begin.
		time.Sleep(5 * time.Millisecond)
	case "worker":
		start.Do(func() {
			go func() {
				for job := range jobs {
					job()
				}
			}()
		})
		group.Add(len(steps))
		for _, step := range steps {
			jobs <- func() {
				defer group.Done()
				step()
			}
		}
	}
	group.Wait()
}

func main() {
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/work" {
			work(request.URL.Query())
		}
		fmt.Fprintln(response, "done")
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
