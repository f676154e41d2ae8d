// net/http: a goroutine for each connection, on as many threads as the runtime likes. See ../README.md for the paths.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

var workDir = os.Getenv("WORK_DIR")

func run(name string, args ...string) []byte {
	output, _ := exec.Command(name, args...).CombinedOutput()
	return output
}

func reversed(text string) string {
	bytes := []byte(text)
	for i, j := 0, len(bytes)-1; i < j; i, j = i+1, j-1 {
		bytes[i], bytes[j] = bytes[j], bytes[i]
	}
	return string(bytes)
}

func work(query url.Values, isShell bool) ([]byte, error) {
	given := query.Get("id")
	mark := given
	if query.Get("carry") == "reversed" {
		mark = reversed(given)
	}
	port := query.Get("port")
	if port == "" {
		port = os.Getenv("SINK_PORT")
	}
	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	connection.Close()
	if isShell {
		run("/bin/sh", "-c", "/bin/echo "+mark+"; true")
	} else {
		run("/bin/echo", mark)
	}
	path := filepath.Join(workDir, mark+".txt")
	if err := os.WriteFile(path, []byte(mark), 0o644); err != nil {
		return nil, err
	}
	if _, err := os.ReadFile(path); err != nil {
		return nil, err
	}
	return []byte("done " + given + "\n"), nil
}

func answer(path string, query url.Values) (int, []byte, error) {
	name := query.Get("name")
	switch {
	case path == "/":
		return 200, []byte("ready\n"), nil
	case path == "/work" || path == "/shell":
		body, err := work(query, path == "/shell")
		return 200, body, err
	case path == "/run":
		return 200, run("/bin/sh", "-c", "/bin/echo checking "+query.Get("cmd")), nil
	case path == "/saferun":
		return 200, run("/bin/echo", "checking", query.Get("arg")), nil
	case path == "/saferead" && (strings.Contains(name, "/") || strings.HasPrefix(name, ".")):
		return 403, []byte("refused\n"), nil
	case path == "/read" || path == "/saferead":
		// Not Join: it would resolve what the name says.
		body, err := os.ReadFile(workDir + "/" + name)
		return 200, body, err
	case path == "/big":
		return 200, []byte(strings.Repeat("x", 200*1024)), nil
	}
	return 404, []byte("not found\n"), nil
}

func serve(response http.ResponseWriter, request *http.Request) {
	if request.Method == "POST" && request.URL.Path == "/echo" {
		// All of it first: a handler that answers earlier reads no more.
		body, _ := io.ReadAll(request.Body)
		response.Write(body)
		return
	}
	status, body, err := answer(request.URL.Path, request.URL.Query())
	if err != nil {
		status, body = 500, []byte(err.Error()+"\n")
	}
	response.Header().Set("Content-Length", fmt.Sprint(len(body)))
	response.WriteHeader(status)
	response.Write(body)
}

func main() {
	address := "127.0.0.1:" + os.Args[1]
	handler := http.HandlerFunc(serve)
	if certificate := os.Getenv("TLS_CERTIFICATE"); certificate != "" {
		panic(http.ListenAndServeTLS(address, certificate, os.Getenv("TLS_KEY"), handler))
	}
	panic(http.ListenAndServe(address, handler))
}
