// Publishes numbered events with paho.mqtt.golang and prints the id of each event that is confirmed.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const window = 100

func main() {
	port, device := os.Args[1], os.Args[4]
	qos, _ := strconv.Atoi(os.Args[3])
	options := mqtt.NewClientOptions().
		AddBroker("tcp://127.0.0.1:" + port).
		SetClientID(device).
		SetProtocolVersion(4).
		SetCleanSession(false).
		SetKeepAlive(5 * time.Second).
		SetAutoReconnect(true).
		SetConnectRetry(true).
		SetConnectRetryInterval(200 * time.Millisecond).
		SetMaxReconnectInterval(500 * time.Millisecond)
	client := mqtt.NewClient(options)
	client.Connect()
	ended := make(chan struct{})
	go func() { io.Copy(io.Discard, os.Stdin); close(ended) }()

	room := make(chan struct{}, window)
	var pending sync.WaitGroup
	sent := 0
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-ended:
			if qos > 0 {
				pending.Wait()
			}
			fmt.Printf("sent %d\n", sent)
			client.Disconnect(500)
			return
		case <-tick.C:
		}
		if qos == 0 && !client.IsConnectionOpen() || len(room) == window {
			continue
		}
		id := fmt.Sprintf("%s-%d", device, sent)
		event := fmt.Sprintf(`{"schema":1,"event_id":"%s","device_id":"%s","event_type":"t","value":%d}`, id, device, sent)
		sent++
		room <- struct{}{}
		pending.Add(1)
		go publish(client, id, event, byte(qos), device, func() { <-room; pending.Done() })
	}
}

// A publish that fails is made again: the library keeps only what it has taken.
func publish(client mqtt.Client, id, event string, qos byte, device string, done func()) {
	defer done()
	for {
		token := client.Publish("qs/v1/"+device+"/events", qos, false, event)
		<-token.Done()
		if token.Error() == nil || qos == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if qos > 0 {
		fmt.Println(id)
	}
}
