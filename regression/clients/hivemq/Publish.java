import com.hivemq.client.mqtt.MqttClient;
import com.hivemq.client.mqtt.MqttClientState;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Publishes numbered events with the HiveMQ client and prints the id of each event that is confirmed. */
public class Publish {
  interface Sender {
    CompletableFuture<?> send(byte[] event);
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    MqttQos qos = MqttQos.fromCode(Integer.parseInt(args[2]));
    String device = args[3];
    String topic = "qs/v1/" + device + "/events";
    Sender sender;
    Supplier<MqttClientState> state;
    var builder = MqttClient.builder().identifier(device).serverHost("127.0.0.1").serverPort(port)
        .automaticReconnect().initialDelay(200, TimeUnit.MILLISECONDS).maxDelay(500, TimeUnit.MILLISECONDS)
        .applyAutomaticReconnect();
    if (args[1].equals("4")) {
      var client = builder.useMqttVersion3().buildAsync();
      client.connectWith().cleanSession(false).keepAlive(5).send().get();
      sender = event -> client.publishWith().topic(topic).qos(qos).payload(event).send();
      state = client::getState;
    } else {
      var client = builder.useMqttVersion5().buildAsync();
      client.connectWith().cleanStart(false).sessionExpiryInterval(300).keepAlive(5).send().get();
      sender = event -> client.publishWith().topic(topic).qos(qos).payload(event).send().thenApply(result -> {
        if (result.getError().isPresent()) throw new IllegalStateException(result.getError().get());
        return result;
      });
      state = client::getState;
    }
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
    AtomicInteger waiting = new AtomicInteger();
    int sent = 0;
    while (!hasEnded.get() || waiting.get() > 0) {
      Thread.sleep(20);
      boolean isAway = qos == MqttQos.AT_MOST_ONCE && state.get() != MqttClientState.CONNECTED;
      if (hasEnded.get() || waiting.get() >= 100 || isAway) continue;
      String id = device + "-" + sent;
      String event = String.format(
          "{\"schema\":1,\"event_id\":\"%s\",\"device_id\":\"%s\",\"event_type\":\"t\",\"value\":%d}", id, device, sent);
      sent++;
      waiting.incrementAndGet();
      publish(sender, id, event.getBytes(), qos, waiting);
    }
    System.out.println("sent " + sent);
    System.out.flush();
    System.exit(0);
  }

  /** The client sends again what is not confirmed; what it gives up is published again. */
  static void publish(Sender sender, String id, byte[] event, MqttQos qos, AtomicInteger waiting) {
    sender.send(event).whenComplete((result, error) -> {
      if (error != null && qos != MqttQos.AT_MOST_ONCE) {
        CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS)
            .execute(() -> publish(sender, id, event, qos, waiting));
        return;
      }
      if (qos != MqttQos.AT_MOST_ONCE) {
        System.out.println(id);
        System.out.flush();
      }
      waiting.decrementAndGet();
    });
  }
}
