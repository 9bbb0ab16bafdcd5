import com.hivemq.embedded.EmbeddedExtension;
import com.hivemq.embedded.EmbeddedHiveMQ;
import com.hivemq.extension.sdk.api.ExtensionMain;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartOutput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopOutput;
import com.hivemq.extension.sdk.api.services.Services;
import java.nio.file.Files;
import java.nio.file.Path;

/** HiveMQ CE with its own defaults, on a port of the loopback address: Start PORT FOLDER */
class Start {
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[1]);
        for (String each : new String[] {"conf", "data", "extensions"}) Files.createDirectories(folder.resolve(each));
        Files.writeString(folder.resolve("conf/config.xml"), """
            <?xml version="1.0"?>
            <hivemq>
              <listeners><tcp-listener><port>%s</port><bind-address>127.0.0.1</bind-address></tcp-listener></listeners>
              <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
            </hivemq>
            """.formatted(args[0]).strip());
        EmbeddedHiveMQ.builder()
            .withConfigurationFolder(folder.resolve("conf"))
            .withDataFolder(folder.resolve("data"))
            .withExtensionsFolder(folder.resolve("extensions"))
            .withEmbeddedExtension(EmbeddedExtension.builder()
                .withId("all").withName("all").withVersion("1").withAuthor("all")
                .withExtensionMain(new Everyone()).build())
            .build().start().get();
        System.out.println("ready");
        Thread.currentThread().join();
    }

    /** Without an extension, HiveMQ admits nobody. */
    static class Everyone implements ExtensionMain {
        public void extensionStart(ExtensionStartInput in, ExtensionStartOutput out) {
            Services.securityRegistry().setAuthenticatorProvider(
                provided -> (SimpleAuthenticator) (input, output) -> output.authenticateSuccessfully());
        }

        public void extensionStop(ExtensionStopInput in, ExtensionStopOutput out) {}
    }
}
