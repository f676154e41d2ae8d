// A TLS server in Go whose stacks are small where they matter: PORT. Each Read and each Write has a goroutine of its own, whose
// stack is used up to some depth before. At one depth or another each function on the way has to make it larger, and then
// begins anew. The reply to
// /?id=X is X.
package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync/atomic"
)

// Some 48 bytes each: as many as fit into a new stack, and more.
const depths = 64

var calls atomic.Int64

//go:noinline
func deeper(depth int, then func()) int {
	if depth == 0 {
		then()
		return 0
	}
	return deeper(depth-1, then) + 1
}

func onSmallStack(then func()) {
	done := make(chan bool)
	depth := int(calls.Add(1) * 7 % depths)
	go func() {
		deeper(depth, then)
		done <- true
	}()
	<-done
}

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 8192)
	for {
		length := 0
		for !bytes.Contains(buffer[:length], []byte("\r\n\r\n")) {
			var count int
			var err error
			onSmallStack(func() { count, err = connection.Read(buffer[length:]) })
			if err != nil {
				return
			}
			length += count
		}
		line, _, _ := bytes.Cut(buffer[:length], []byte(" HTTP/"))
		_, body, _ := bytes.Cut(line, []byte("id="))
		isLast := bytes.Contains(buffer[:length], []byte("onnection: close"))
		kept := "keep-alive"
		if isLast {
			kept = "close"
		}
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n", kept, len(body)+1)
		for _, piece := range []string{head, string(body) + "\n"} {
			onSmallStack(func() { connection.Write([]byte(piece)) })
		}
		if isLast {
			return
		}
	}
}

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Getenv("TLS_CERTIFICATE"), os.Getenv("TLS_KEY"))
	if err != nil {
		panic(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		panic(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go serve(connection)
	}
}
