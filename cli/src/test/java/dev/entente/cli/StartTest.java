// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A start that cannot be says why in one line. */
class StartTest {
  private @TempDir Path temp;

  private record Ended(int code, String said) {}

  private Ended run(String... arguments) throws IOException, InterruptedException {
    List<String> command = Jvm.entente();
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    return new Ended(process.waitFor(), said);
  }

  @Test
  void aPortThatIsTaken() throws IOException, InterruptedException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = String.valueOf(other.getLocalPort());
      for (String command : List.of("serve", "demo")) {
        Ended ended = run(command, "--data", temp.resolve(command).toString(), "--port", port);
        assertThat(ended.said()).contains("cannot listen on 127.0.0.1:" + port).contains("--port");
        assertThat(ended.said().lines()).as(ended.said()).hasSizeLessThanOrEqualTo(1);
        assertThat(ended.code()).isEqualTo(ExitCodes.FAILED);
      }
    }
  }

  @Test
  void aFolderWithAFutureFormat() throws IOException, InterruptedException {
    Path data = temp.resolve("future");
    try (var store = dev.entente.engine.store.RocksStore.open(data.resolve("store"))) {
      var batch = new dev.entente.engine.store.Batch();
      batch.put(
          dev.entente.engine.store.Table.META,
          "format".getBytes(StandardCharsets.UTF_8),
          "entente 9".getBytes(StandardCharsets.UTF_8));
      store.commit(batch);
    }
    Ended ended = run("serve", "--data", data.toString(), "--port", "0");
    assertThat(ended.said()).contains("entente 9").doesNotContain("\tat ");
    assertThat(ended.code()).isEqualTo(ExitCodes.FAILED);
  }

  @Test
  void aFolderThatIsAFile() throws IOException, InterruptedException {
    Path file = Files.writeString(temp.resolve("file"), "x");
    Ended ended = run("serve", "--data", file.toString(), "--port", "0");
    assertThat(ended.said()).contains(file.toString()).doesNotContain("\tat ");
    assertThat(ended.code()).isEqualTo(ExitCodes.BAD_INPUT);
  }
}
