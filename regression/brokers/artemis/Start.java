import java.nio.file.Path;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;

/** Artemis with its own defaults, on a port of the loopback address: Start PORT FOLDER */
class Start {
    public static void main(String[] args) throws Exception {
        String folder = Path.of(args[1]).toAbsolutePath().toString();
        Configuration settings = new ConfigurationImpl()
            .setPersistenceEnabled(true)
            .setSecurityEnabled(false)
            .setJournalType(JournalType.NIO)
            .setJournalDirectory(folder + "/journal")
            .setBindingsDirectory(folder + "/bindings")
            .setLargeMessagesDirectory(folder + "/large")
            .setPagingDirectory(folder + "/paging")
            .addAcceptorConfiguration("mqtt", "tcp://127.0.0.1:" + args[0] + "?protocols=MQTT");
        new EmbeddedActiveMQ().setConfiguration(settings).start();
        System.out.println("ready");
        Thread.currentThread().join();
    }
}
