// The server: it answers for a switch.

package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// MaxClients is how many clients a Server has at a time. Others are told so, and go.
	MaxClients = 64
	// IdleTimeout is how long a client may take for a request, before it is taken for gone.
	IdleTimeout = 5 * time.Minute
	// WriteTimeout is how long a client may take to read an answer.
	WriteTimeout = 10 * time.Second
)

// Switch is what a Server answers for. Its methods are called from many goroutines at once.
type Switch interface {
	Ports() []Port
	Stats() Stats
	Addresses() []Address
	// Add adds the port of a port string, and returns its name.
	Add(port string) (name string, err error)
	Remove(name string) error
	// Flush forgets what was learned, and returns how many addresses that was.
	Flush() int
}

// Server answers the clients of a listener.
type Server struct {
	sw       Switch
	listener net.Listener
	wait     sync.WaitGroup

	mu      sync.Mutex
	clients map[net.Conn]struct{} // nil once it is closed
}

// Serve answers whoever connects to l, until Close.
func Serve(l net.Listener, sw Switch) *Server {
	s := &Server{sw: sw, listener: l, clients: map[net.Conn]struct{}{}}
	s.wait.Go(s.accept)
	return s
}

// Close closes the listener and all connections, and returns when nobody asks anything of the switch any more. Closing again
// returns nil.
func (s *Server) Close() error {
	s.mu.Lock()
	clients := s.clients
	s.clients = nil
	s.mu.Unlock()
	if clients == nil {
		return nil
	}
	err := s.listener.Close()
	for c := range clients {
		c.Close() // its server sees that
	}
	s.wait.Wait()
	return err
}

func (s *Server) accept() {
	const pause = 100 * time.Millisecond // for want of descriptors, say
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(pause)
			continue
		}
		switch full, closed := s.enter(c); {
		case closed:
			c.Close()
			return
		case full:
			_ = answer(c, Answer{Error: fmt.Sprintf("there are %d clients already: try again later", MaxClients)})
			c.Close()
		default:
			s.wait.Go(func() { s.serve(c) })
		}
	}
}

// enter notes a client, if there is room.
func (s *Server) enter(c net.Conn) (full, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients == nil || len(s.clients) == MaxClients {
		return true, s.clients == nil
	}
	s.clients[c] = struct{}{}
	return false, false
}

// serve answers a client until it goes.
func (s *Server) serve(c net.Conn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.clients, c)
	}()
	lines := bufio.NewReaderSize(c, MaxRequest)
	for {
		if err := c.SetReadDeadline(time.Now().Add(IdleTimeout)); err != nil {
			return
		}
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			_ = answer(c, Answer{Error: fmt.Sprintf("%v: a line is longer than %d bytes", ErrRequest, MaxRequest)})
			return
		}
		if err != nil || answer(c, s.do(line)) != nil {
			return
		}
	}
}

// do does what the request in a line says.
func (s *Server) do(line []byte) (a Answer) {
	r, err := ParseRequest(line)
	if err == nil {
		switch r.Op {
		case OpPorts:
			a.Ports = append([]Port{}, s.sw.Ports()...)
		case OpStats:
			stats := s.sw.Stats()
			a.Stats = &stats
		case OpTable:
			a.Addresses = append([]Address{}, s.sw.Addresses()...)
		case OpAdd:
			a.Added, err = s.sw.Add(r.Port)
		case OpRemove:
			a.Removed, err = r.Name, s.sw.Remove(r.Name)
		case OpFlush:
			n := s.sw.Flush()
			a.Flushed = &n
		}
	}
	if err != nil {
		return Answer{Error: err.Error()}
	}
	return a
}

// answer sends a.
func answer(c net.Conn, a Answer) error {
	if err := c.SetWriteDeadline(time.Now().Add(WriteTimeout)); err != nil {
		return err
	}
	return send(c, a)
}

// send sends a message, with the end of its line.
func send(c net.Conn, message any) error {
	w := bufio.NewWriter(c)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(message); err != nil {
		return err
	}
	return w.Flush()
}
