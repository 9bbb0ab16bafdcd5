import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.paho.client.mqttv3.*;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** Publishes numbered events with the Paho client for Java and prints the id of each event that is confirmed. */
public class Publish {
  static final Map<String, String> waiting = new ConcurrentHashMap<>();
  static MqttAsyncClient client;
  static String device;
  static int qos;

  public static void main(String[] args) throws Exception {
    qos = Integer.parseInt(args[2]);
    device = args[3];
    client = new MqttAsyncClient("tcp://127.0.0.1:" + args[0], device, new MemoryPersistence());
    MqttConnectOptions options = new MqttConnectOptions();
    options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
    options.setCleanSession(true);
    options.setKeepAliveInterval(5);
    options.setMaxInflight(200);
    AtomicBoolean hasEnded = new AtomicBoolean();
    Thread reader = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {}
      } catch (Exception ended) {
        // The end of the input, too.
      }
      hasEnded.set(true);
    });
    reader.setDaemon(true);
    reader.start();
    int sent = 0;
    while (!hasEnded.get() || (qos > 0 && !waiting.isEmpty())) {
      Thread.sleep(20);
      if (!client.isConnected()) {
        reconnect(options);
        continue;
      }
      if (hasEnded.get() || waiting.size() >= 100) continue;
      String id = device + "-" + sent;
      String event = String.format(
          "{\"schema\":1,\"event_id\":\"%s\",\"device_id\":\"%s\",\"event_type\":\"t\",\"value\":%d}", id, device, sent);
      sent++;
      if (qos > 0) waiting.put(id, event);
      publish(id, event);
    }
    System.out.println("sent " + sent);
    System.out.flush();
    if (client.isConnected()) client.disconnect().waitForCompletion(5000);
    System.exit(0);
  }

  /** A clean session: what is not confirmed is published again by this program. */
  static void reconnect(MqttConnectOptions options) throws InterruptedException {
    try {
      client.connect(options).waitForCompletion(5000);
      for (Map.Entry<String, String> each : waiting.entrySet()) publish(each.getKey(), each.getValue());
    } catch (MqttException away) {
      Thread.sleep(200);
    }
  }

  static void publish(String id, String event) {
    try {
      client.publish("qs/v1/" + device + "/events", event.getBytes(), qos, false, null, new IMqttActionListener() {
        @Override
        public void onSuccess(IMqttToken token) {
          if (qos > 0 && waiting.remove(id) != null) {
            System.out.println(id);
            System.out.flush();
          }
        }

        @Override
        public void onFailure(IMqttToken token, Throwable error) {}
      });
    } catch (MqttException away) {
      // It stays in `waiting`.
    }
  }
}
