// Command servers is `servers http|grpc PORT`: Go's servers at their defaults.
package main

import (
	"log"
	"net"
	"net/http"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func main() {
	kind, address := os.Args[1], "127.0.0.1:"+os.Args[2]
	if kind == "grpc" {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			log.Fatal(err)
		}
		// No method is registered: this answer means that the metadata was accepted.
		any := func(any, grpc.ServerStream) error { return status.Error(codes.OutOfRange, "accepted") }
		log.Fatal(grpc.NewServer(grpc.UnknownServiceHandler(any)).Serve(listener))
	}
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }
	server := &http.Server{Addr: address, Handler: http.HandlerFunc(answer), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	log.Fatal(server.ListenAndServe())
}
