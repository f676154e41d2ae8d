// A Go server that does with TLS what is hard on probes: PORT [UPSTREAM]. It serves TLS when TLS_CERTIFICATE and TLS_KEY are set.
//
//	/dial?id=X     asks UPSTREAM for /answer?id=x on a connection of its own, in the request's goroutine; x is X backwards
//	/ask?id=X      the same with net/http, HTTP/1.1; with /ask2 HTTP/2: other goroutines move the bytes
//	               with carry=plain the id is not turned
//	/deep?id=X     writes WORK_DIR/x.txt and replies in pieces, each from a stack that has to grow
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

var upstream string
var insecure = &tls.Config{InsecureSkipVerify: true}
var client = &http.Client{Transport: &http.Transport{TLSClientConfig: insecure.Clone(), MaxIdleConnsPerHost: 100}}
var client2 = &http.Client{Transport: &http.Transport{TLSClientConfig: insecure.Clone(), ForceAttemptHTTP2: true}}

func reversed(text string) string {
	bytes := []byte(text)
	for i, j := 0, len(bytes)-1; i < j; i, j = i+1, j-1 {
		bytes[i], bytes[j] = bytes[j], bytes[i]
	}
	return string(bytes)
}

func dial(id string) (string, error) {
	address, err := url.Parse(upstream)
	if err != nil {
		return "", err
	}
	connection, err := tls.Dial("tcp", address.Host, insecure)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	fmt.Fprintf(connection, "GET /answer?id=%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", id, address.Host)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func ask(client *http.Client, id string) (string, error) {
	response, err := client.Get(upstream + "/answer?id=" + id)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%d %s", response.ProtoMajor, body), err
}

// Frames of a kilobyte that the compiler cannot take away.
func deep(depth int, then func()) byte {
	var room [1024]byte
	room[depth%1024] = byte(depth)
	if depth == 0 {
		then()
	} else {
		room[0] = deep(depth-1, then)
	}
	return room[0] + room[depth%1024]
}

func serve(response http.ResponseWriter, request *http.Request) {
	given := request.URL.Query().Get("id")
	id := reversed(given)
	if request.URL.Query().Get("carry") == "plain" {
		id = given
	}
	var body string
	var err error
	switch request.URL.Path {
	case "/dial":
		body, err = dial(id)
	case "/ask":
		body, err = ask(client, id)
	case "/ask2":
		body, err = ask(client2, id)
	case "/deep":
		deep(20, func() {
			err = os.WriteFile(filepath.Join(os.Getenv("WORK_DIR"), id+".txt"), []byte(id), 0o644)
		})
		for piece := 0; piece < 4; piece++ {
			done := make(chan bool)
			// A small stack, which Write itself has to make larger.
			go func() { done <- true }()
			<-done
			deep(piece*100, func() {
				fmt.Fprintf(response, "%s %d\n", given, piece)
				response.(http.Flusher).Flush()
			})
		}
		return
	default:
		body = "answer " + given
	}
	if err != nil {
		body = "failed: " + err.Error()
		response.WriteHeader(500)
	}
	io.WriteString(response, body+"\n")
}

func main() {
	address := "127.0.0.1:" + os.Args[1]
	if len(os.Args) > 2 {
		upstream = os.Args[2]
	}
	handler := http.HandlerFunc(serve)
	if certificate := os.Getenv("TLS_CERTIFICATE"); certificate != "" {
		panic(http.ListenAndServeTLS(address, certificate, os.Getenv("TLS_KEY"), handler))
	}
	panic(http.ListenAndServe(address, handler))
}
