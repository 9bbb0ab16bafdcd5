import io.moquette.broker.Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/** Moquette with its own defaults, on a port of the loopback address: Start PORT FOLDER */
class Start {
    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.setProperty("host", "127.0.0.1");
        settings.setProperty("port", args[0]);
        settings.setProperty("data_path", Files.createDirectories(Path.of(args[1]).toAbsolutePath()).toString());
        // It would call its makers.
        settings.setProperty("telemetry_enabled", "false");
        new Server().startServer(settings);
        System.out.println("ready");
        Thread.currentThread().join();
    }
}
