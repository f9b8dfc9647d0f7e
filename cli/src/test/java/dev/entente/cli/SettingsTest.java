// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command line wins over the environment, that over the file, that over what is built in. */
class SettingsTest {
  @TempDir Path folder;

  private ServeCommand parsed(Map<String, String> environment, String... arguments) {
    ServeCommand serve = new ServeCommand();
    new CommandLine(serve)
        .setDefaultValueProvider(new Settings(List.of(arguments), environment))
        .parseArgs(arguments);
    return serve;
  }

  private String file(String... lines) throws IOException {
    return Files.write(folder.resolve("entente.properties"), List.of(lines)).toString();
  }

  @Test
  void eachHoldsWhereNoBetterOneSays() throws IOException {
    String config = file("port=1", "host=0.0.0.0", "rate-limit=7", "data=/from/file");
    Map<String, String> environment = Map.of("ENTENTE_PORT", "2", "ENTENTE_RATE_LIMIT", "8");
    ServeCommand serve = parsed(environment, "--config", config, "--port", "3");
    assertThat(serve.listen.port).as("the command line").isEqualTo(3);
    assertThat(serve.access.requests).as("the environment").isEqualTo(8);
    assertThat(serve.listen.host).as("the file").isEqualTo("0.0.0.0");
    assertThat(serve.access.changes).as("built in").isEqualTo(50);
    assertThat(serve.data).hasToString("/from/file");
  }

  @Test
  void theFileMayBeNamedByTheEnvironment() throws IOException {
    Map<String, String> environment = Map.of("ENTENTE_CONFIG", file("port=1", "data=d"));
    assertThat(parsed(environment).listen.port).isEqualTo(1);
  }

  @Test
  void listsAndFlagsAreSettingsToo() throws IOException {
    String config = file("data=d", "peers=http://a,http://b", "webhooks-inside=true");
    ServeCommand serve = parsed(Map.of(), "--config=" + config);
    assertThat(serve.peering.peers).containsExactly("http://a", "http://b");
    assertThat(serve.watch.inside).isTrue();
  }

  @Test
  void whatNoOptionIsCalledIsNamed() throws IOException {
    Path config = Path.of(file("port=1", "prot=2"));
    CommandLine line = new CommandLine(new ServeCommand());
    assertThat(Settings.unknown(config, line.getCommandSpec())).containsExactly("prot");
  }
}
