//! Publishes numbered events with rumqttc and prints the id of each event that is confirmed.
//!
//! rumqttc drops what is not acknowledged when the broker does not know its session, so the program publishes that again.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rumqttc::Outgoing;
use tokio::time::sleep;

const WINDOW: usize = 100;
const RETRY: Duration = Duration::from_millis(200);
const TICK: Duration = Duration::from_millis(20);

#[derive(Default)]
struct State {
    is_connected: bool,
    sent: usize,
    /// Not confirmed, by number.
    waiting: BTreeMap<usize, String>,
    /// Handed to rumqttc, which has given them no packet identifier yet.
    handed: VecDeque<usize>,
    under_way: HashMap<u16, usize>,
}

impl State {
    fn sends(&mut self, packet_id: u16) {
        if packet_id == 0 || self.under_way.contains_key(&packet_id) {
            return;
        }
        if let Some(number) = self.handed.pop_front() {
            self.under_way.insert(packet_id, number);
        }
    }

    fn answered(&mut self, packet_id: u16, device: &str) {
        let Some(number) = self.under_way.remove(&packet_id) else {
            return;
        };
        if self.waiting.remove(&number).is_some() {
            println!("{device}-{number}");
        }
    }

    /// What rumqttc has forgotten.
    fn forgotten(&mut self) -> Vec<String> {
        self.handed = self.waiting.keys().copied().collect();
        self.under_way.clear();
        self.waiting.values().cloned().collect()
    }
}

/// The client for 3.1.1 and the one for 5 are different types with the same names.
macro_rules! publisher {
    ($name:ident, $client:path, $event_loop:path, $event:path, $packet:path, $qos:path) => {
        mod $name {
            use super::*;
            use $client as Client;
            use $event as Event;
            use $event_loop as EventLoop;
            use $packet as Packet;
            use $qos as qos_of;

            fn hear(event: Event, state: &RefCell<State>, client: &Client, device: &str, qos: u8) {
                let mut state = state.borrow_mut();
                match event {
                    Event::Outgoing(Outgoing::Publish(packet_id)) => state.sends(packet_id),
                    Event::Incoming(Packet::PubAck(answer)) => state.answered(answer.pkid, device),
                    Event::Incoming(Packet::PubComp(answer)) => state.answered(answer.pkid, device),
                    Event::Incoming(Packet::ConnAck(connack)) => {
                        state.is_connected = true;
                        if connack.session_present {
                            return;
                        }
                        for event in state.forgotten() {
                            assert!(publish(client, device, qos, event));
                        }
                    }
                    _ => {}
                }
            }

            /// Returns whether there is room, as there always is for a window of messages.
            fn publish(client: &Client, device: &str, qos: u8, event: String) -> bool {
                let topic = format!("qs/v1/{device}/events");
                let qos = qos_of(qos).expect("a QoS of 0, 1 or 2");
                client.try_publish(topic, qos, false, event).is_ok()
            }

            /// Between a failure and CONNACK nothing is published, so rumqttc and `State` agree on what is handed on.
            async fn listen(mut events: EventLoop, state: Rc<RefCell<State>>, client: Client, device: String, qos: u8) {
                loop {
                    match events.poll().await {
                        Ok(event) => hear(event, &state, &client, &device, qos),
                        Err(_) => {
                            state.borrow_mut().is_connected = false;
                            while let Some(event) = events.state.events.pop_front() {
                                hear(event, &state, &client, &device, qos);
                            }
                            sleep(RETRY).await;
                        }
                    }
                }
            }

            pub async fn run(client: Client, events: EventLoop, device: &str, qos: u8, is_ended: Arc<AtomicBool>) {
                let state = Rc::new(RefCell::new(State::default()));
                tokio::task::spawn_local(listen(events, state.clone(), client.clone(), device.to_owned(), qos));
                while !is_ended.load(Ordering::Relaxed) {
                    sleep(TICK).await;
                    let mut state = state.borrow_mut();
                    if !state.is_connected || state.waiting.len() >= WINDOW {
                        continue;
                    }
                    let number = state.sent;
                    let event = format!(
                        r#"{{"schema":1,"event_id":"{device}-{number}","device_id":"{device}","event_type":"t","value":{number}}}"#
                    );
                    if !publish(&client, device, qos, event.clone()) {
                        continue;
                    }
                    state.sent += 1;
                    if qos > 0 {
                        state.waiting.insert(number, event);
                        state.handed.push_back(number);
                    }
                }
                while !state.borrow().waiting.is_empty() {
                    sleep(TICK).await;
                }
                println!("sent {}", state.borrow().sent);
                let _ = client.disconnect().await;
                sleep(RETRY).await;
            }
        }
    };
}

publisher!(
    mqtt311,
    rumqttc::AsyncClient,
    rumqttc::EventLoop,
    rumqttc::Event,
    rumqttc::Packet,
    rumqttc::qos
);
publisher!(
    mqtt5,
    rumqttc::v5::AsyncClient,
    rumqttc::v5::EventLoop,
    rumqttc::v5::Event,
    rumqttc::v5::mqttbytes::v5::Packet,
    rumqttc::v5::mqttbytes::qos
);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, port, level, qos, device] = arguments.as_slice() else {
        panic!("port, level, QoS and device id")
    };
    let port: u16 = port.parse().expect("a port");
    let qos: u8 = qos.parse().expect("a QoS");
    let is_ended = Arc::new(AtomicBool::new(false));
    let ended = is_ended.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        ended.store(true, Ordering::Relaxed);
    });
    let local = tokio::task::LocalSet::new();
    if level == "5" {
        let mut options = rumqttc::v5::MqttOptions::new(device, "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(5)).set_clean_start(false);
        options
            .set_session_expiry_interval(Some(300))
            .set_outgoing_inflight_upper_limit(WINDOW as u16);
        let (client, events) = rumqttc::v5::AsyncClient::new(options, 2 * WINDOW);
        local.run_until(mqtt5::run(client, events, device, qos, is_ended)).await;
    } else {
        let mut options = rumqttc::MqttOptions::new(device, "127.0.0.1", port);
        options
            .set_keep_alive(Duration::from_secs(5))
            .set_clean_session(false)
            .set_inflight(WINDOW as u16);
        let (client, events) = rumqttc::AsyncClient::new(options, 2 * WINDOW);
        local
            .run_until(mqtt311::run(client, events, device, qos, is_ended))
            .await;
    }
}
