// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.engine.store.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenTest {
  private @TempDir Path directory;

  @Test
  void itIsMadeOnceAndKept() throws IOException {
    Token made = Token.of(directory);
    assertThat(Token.of(directory).value()).isEqualTo(made.value());
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(directory.resolve("token"));
    }
  }

  @Test
  void aFileThatThePowerLeftEmptyIsNoToken() throws IOException {
    Files.writeString(Folders.createFile(directory.resolve("token")), "\n");
    assertThat(Token.of(directory).value()).isNotBlank();
    assertThat(Files.readString(directory.resolve("token"))).isNotBlank();
    assertThatThrownBy(() -> new Token(" ", false)).hasMessageContaining("lets everybody in");
  }

  @Test
  void nothingIsNobodysToken() {
    try (Served served = new Served(config -> ServerConfig.of(0, ""))) {
      for (String header : new String[] {"Bearer ", "Bearer", "Bearer  "}) {
        assertThat(
                served
                    .send("GET", "/v1/status", new byte[0], Map.of("Authorization", header))
                    .status())
            .isEqualTo(401);
      }
    }
  }
}
