// Publishes numbered events with paho.golang (autopaho, MQTT 5) and prints the id of each event that is confirmed.
package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

const window = 100

func main() {
	device := os.Args[4]
	qos, _ := strconv.Atoi(os.Args[3])
	server, _ := url.Parse("mqtt://127.0.0.1:" + os.Args[1])
	var isConnected atomic.Bool
	ctx := context.Background()
	manager, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
		ServerUrls:            []*url.URL{server},
		KeepAlive:             5,
		SessionExpiryInterval: 300,
		ReconnectBackoff:      autopaho.NewConstantBackoff(200 * time.Millisecond),
		OnConnectionUp:        func(*autopaho.ConnectionManager, *paho.Connack) { isConnected.Store(true) },
		ClientConfig: paho.ClientConfig{
			ClientID:           device,
			OnClientError:      func(error) { isConnected.Store(false) },
			OnServerDisconnect: func(*paho.Disconnect) { isConnected.Store(false) },
		},
	})
	if err != nil {
		panic(err)
	}
	ended := make(chan struct{})
	go func() { io.Copy(io.Discard, os.Stdin); close(ended) }()

	publish := func(id, event string, done func()) {
		defer done()
		message := &paho.Publish{QoS: byte(qos), Topic: "qs/v1/" + device + "/events", Payload: []byte(event)}
		for {
			attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
			_, err := manager.Publish(attempt, message)
			cancel()
			if err == nil || qos == 0 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if qos > 0 {
			fmt.Println(id)
		}
	}
	room := make(chan struct{}, window)
	var pending sync.WaitGroup
	sent := 0
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-ended:
			pending.Wait()
			fmt.Printf("sent %d\n", sent)
			_ = manager.Disconnect(ctx)
			return
		case <-tick.C:
		}
		if qos == 0 && !isConnected.Load() || len(room) == window {
			continue
		}
		id := fmt.Sprintf("%s-%d", device, sent)
		event := fmt.Sprintf(`{"schema":1,"event_id":"%s","device_id":"%s","event_type":"t","value":%d}`, id, device, sent)
		sent++
		room <- struct{}{}
		pending.Add(1)
		go publish(id, event, func() { <-room; pending.Done() })
	}
}
