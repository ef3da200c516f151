// The Go peer: serves wire.proto on TCP, a Unix socket and TLS, and prints the addresses as one line of JSON. It decodes messages itself, so it
// needs no generated code.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Fields of Message and Plan, by their numbers. Both have bytes or strings and integers only.
type fields struct {
	number map[int]uint64
	bytes  map[int][]byte
}

func parse(b []byte) fields {
	f := fields{map[int]uint64{}, map[int][]byte{}}
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		value, m := binary.Uvarint(b[n:])
		b = b[n+m:]
		if tag&7 == 2 {
			f.bytes[int(tag>>3)], b = b[:value], b[value:]
		} else {
			f.number[int(tag>>3)] = value
		}
	}
	return f
}

func varint(v uint64) []byte {
	b := make([]byte, binary.MaxVarintLen64)
	return b[:binary.PutUvarint(b, v)]
}

func message(body []byte) []byte {
	if len(body) == 0 {
		return []byte{}
	}
	return append(append([]byte{1<<3 | 2}, varint(uint64(len(body)))...), body...)
}

func filled(size int, number int) []byte {
	body := bytes.Repeat([]byte("a"), size)
	if size > 0 {
		body[0] = byte(number)
	}
	return message(body)
}

type codec struct{}

func (codec) Marshal(v interface{}) ([]byte, error) { return v.([]byte), nil }
func (codec) Unmarshal(b []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte{}, b...)
	return nil
}
func (codec) String() string { return "proto" }

var signals sync.Map

func signal(key string) chan struct{} {
	c, _ := signals.LoadOrStore(key, make(chan struct{}))
	return c.(chan struct{})
}

func reflected(s grpc.ServerStream, prefix string) metadata.MD {
	back := metadata.MD{}
	got, _ := metadata.FromIncomingContext(s.Context())
	for name, values := range got {
		if strings.HasPrefix(name, "x-") {
			back[prefix+name] = values
		}
	}
	return back
}

func handle(_ interface{}, s grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(s)
	method := path[strings.LastIndex(path, "/")+1:]
	got, _ := metadata.FromIncomingContext(s.Context())
	var in []byte
	if method == "Chat" || method == "Stall" {
		count, size := 0, 0
		if method == "Stall" {
			<-signal("release " + got.Get("x-key")[0])
		}
		for {
			err := s.RecvMsg(&in)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if method == "Chat" {
				if err := s.SendMsg(in); err != nil {
					return err
				}
			}
			count, size = count+1, size+len(parse(in).bytes[1])
		}
		if method == "Stall" {
			return s.SendMsg(append(append([]byte{2 << 3}, varint(uint64(count))...), append([]byte{3 << 3}, varint(uint64(size))...)...))
		}
		return nil
	}
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	request := parse(in)
	key, count, size := string(request.bytes[1]), int(request.number[2]), int(request.number[3])
	switch method {
	case "Echo":
		s.SendHeader(reflected(s, ""))
		s.SetTrailer(reflected(s, "trailer-"))
		return s.SendMsg(in)
	case "Download":
		for i := 0; i < count; i++ {
			if err := s.SendMsg(filled(size, i)); err != nil {
				return err
			}
		}
		return nil
	case "Release":
		close(signal("release " + key))
		return s.SendMsg([]byte{})
	case "Wait":
		if err := s.SendMsg(message([]byte("waiting"))); err != nil {
			return err
		}
		<-s.Context().Done()
		close(signal("gone " + key))
		return status.FromContextError(s.Context().Err()).Err()
	case "Observe":
		<-signal("gone " + key)
		return s.SendMsg(message([]byte("cancelled")))
	case "Fail":
		for i := 0; i < count; i++ {
			if err := s.SendMsg(filled(1, i)); err != nil {
				return err
			}
		}
		trailers := metadata.Pairs("x-cause", "planned")
		if details := request.bytes[6]; len(details) > 0 {
			trailers.Set("grpc-status-details-bin", string(details))
		}
		s.SetTrailer(trailers)
		repeats := size
		if repeats == 0 {
			repeats = 1
		}
		return status.Error(codes.Code(request.number[4]), strings.Repeat(string(request.bytes[5]), repeats))
	case "Die":
		os.Exit(0)
	}
	return status.Error(codes.Unimplemented, "unknown method "+method)
}

func serve(listener net.Listener, options ...grpc.ServerOption) {
	options = append(options, grpc.CustomCodec(codec{}), grpc.UnknownServiceHandler(handle), grpc.MaxRecvMsgSize(1<<30))
	go grpc.NewServer(options...).Serve(listener)
}

func listen(network, address string) net.Listener {
	listener, err := net.Listen(network, address)
	if err != nil {
		panic(err)
	}
	return listener
}

func main() {
	address := "127.0.0.1"
	if len(os.Args) > 4 {
		address = os.Args[4]
	}
	secure, err := credentials.NewServerTLSFromFile(os.Args[2], os.Args[3])
	if err != nil {
		panic(err)
	}
	tcp, tls := listen("tcp", address+":0"), listen("tcp", address+":0")
	serve(tcp)
	serve(tls, grpc.Creds(secure))
	serve(listen("unix", os.Args[1]))
	json.NewEncoder(os.Stdout).Encode(map[string]string{
		"tcp":  fmt.Sprintf("http://%s", tcp.Addr()),
		"unix": "unix:" + os.Args[1],
		"tls":  fmt.Sprintf("https://localhost:%d", tls.Addr().(*net.TCPAddr).Port),
	})

	// The test process holds the other end, so this process exits with it.
	io.Copy(io.Discard, os.Stdin)
}
