// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.cluster.NodeTls;
import dev.entente.engine.Node;
import dev.entente.engine.NodeConfig;
import dev.entente.engine.store.MemoryStore;
import dev.entente.server.Certificates;
import dev.entente.server.EntenteServer;
import dev.entente.server.Listener;
import dev.entente.server.ServerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A variable of client commands has its effect, or the command is refused and names it. */
class ClientSettingsTest {
  @TempDir Path folder;

  private static void refused(Map<String, String> environment, String... parts) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Client(environment))
        .satisfies(refusal -> assertThat(refusal.getMessage()).contains(parts));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ENTENTE_URL", "ENTENTE_TOKEN", "ENTENTE_TENANT", "ENTENTE_CA"})
  void emptyAndMisspeltVariablesAreRefused(String name) {
    refused(Map.of(name, ""), name, "empty");
    refused(Map.of(name, " \n"), name, "empty");
    refused(Map.of(name + "S", "x"), name + "S");
    refused(Map.of(name + "_FILE", "x"), name + "_FILE");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1:7400",
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://h?a=b",
        "http://u:p@h",
        "http://a b"
      })
  void anAddressThatIsNoneIsRefused(String url) {
    refused(Map.of("ENTENTE_URL", url), "ENTENTE_URL");
  }

  @Test
  void anAuthorityIsUsedOrRefused() throws IOException {
    String url = "https://127.0.0.1:1";
    refused(Map.of("ENTENTE_CA", "ca.pem"), "ENTENTE_CA", "https");
    refused(Map.of("ENTENTE_URL", url, "ENTENTE_CA", folder.toString()), "ENTENTE_CA", "directory");
    Path file = folder.resolve("ca.pem");
    Map<String, String> environment = Map.of("ENTENTE_URL", url, "ENTENTE_CA", file.toString());
    refused(environment, "ENTENTE_CA", "no such file");
    Files.writeString(file, "");
    refused(environment, "ENTENTE_CA", "empty");
    Files.writeString(file, "no certificate");
    refused(environment, "ENTENTE_CA", "cannot be used");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    refused(environment, "ENTENTE_CA", "chmod go-w");
  }

  @Test
  void aTokenThatNoHeaderTakesIsRefused() {
    refused(Map.of("ENTENTE_TOKEN", "two words"), "ENTENTE_TOKEN");
    refused(Map.of("ENTENTE_TOKEN", "a\nb"), "ENTENTE_TOKEN");
    refused(Map.of("ENTENTE_TOKEN", "fifteen-letters"), "ENTENTE_TOKEN", "16 characters");
    refused(Map.of("ENTENTE_TOKEN", "\u00e4".repeat(24)), "ENTENTE_TOKEN");
  }

  @Test
  void aVariableThatNothingReadsIsReported() {
    assertThat(Settings.checkClient(Map.of("ENTENTE_QUARTERLY", "1", "ENTENTE_PORT", "7400")))
        .containsExactly("ENTENTE_QUARTERLY");
    refused(Map.of("ENTENTE_PASSPHRASE", "of a backup"), "ENTENTE_PASSPHRASE", "security");
  }

  @Test
  void aNodeThatSpeaksTheOtherSchemeIsNamed() throws Exception {
    Certificates certificates = new Certificates(folder);
    certificates.sign("eu");
    NodeTls tls =
        NodeTls.of(
            certificates.certificate("eu"), certificates.key("eu"), certificates.authority());
    for (Optional<NodeTls> proof : List.of(Optional.of(tls), Optional.<NodeTls>empty())) {
      Listener listener = new Listener("127.0.0.1", 0, proof, false);
      try (Node node = Node.open(new MemoryStore(), NodeConfig.DEFAULT);
          EntenteServer server = EntenteServer.start(node, ServerConfig.of(listener, "token"))) {
        String scheme = server.isEncrypted() ? "http" : "https";
        String url = scheme + "://127.0.0.1:" + server.port();
        Map<String, String> environment = new TreeMap<>(Map.of("ENTENTE_URL", url));
        if (scheme.equals("https")) {
          environment.put("ENTENTE_CA", certificates.authority().toString());
        }
        assertThatThrownBy(() -> new Client(environment).get("/v1/status"))
            .isInstanceOf(Client.FailedException.class)
            .hasMessageContaining(server.isEncrypted() ? "speaks HTTPS" : "speaks plain HTTP");
      }
    }
  }

  @Test
  void variablesOfANodeInTheSameShellDoNoHarm() {
    Client client =
        new Client(
            Map.of(
                "ENTENTE_URL", "http://h:7400/",
                "ENTENTE_TENANT", "t",
                "ENTENTE_SECRET", "a secret of the cluster",
                "ENTENTE_DATA", "d",
                "ENTENTE_JAVA_OPTS", "",
                "ENTENTE_PORT_7400_TCP", "x",
                "ENTENTE_QUARTERLY", "1"));
    assertThat(client.host()).isEqualTo("h");
    assertThat(client.tenant()).isEqualTo("t");
  }
}
