// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A process out of memory ends, however it was started, so that a supervisor starts it again. */
class LauncherTest {
  private static final String OPTION = "-XX:+ExitOnOutOfMemoryError";
  private static final Path ROOT = Path.of(System.getProperty("entente.root", ".."));

  /** Takes memory until there is none, and takes no notice of that. */
  static final class Hog {
    private Hog() {}

    public static void main(String[] args) throws InterruptedException {
      try {
        List<byte[]> all = new ArrayList<>();
        while (all.size() < 1_000_000) {
          all.add(new byte[1 << 20]);
        }
      } catch (OutOfMemoryError e) {
        Thread.sleep(60_000);
      }
    }
  }

  @Test
  void everyWayToStartANodeIsTheLauncherAndThatEndsWithoutMemory() throws IOException {
    assertThat(Files.readString(ROOT.resolve("bin/entente")))
        .contains("options+=(" + OPTION + ")")
        .contains("exec \"$jdk/bin/java\" \"${options[@]}\"");
    assertThat(Files.readString(ROOT.resolve("packaging/Containerfile")))
        .contains("ENTRYPOINT [\"/opt/entente/bin/entente\", \"serve\"]");
    assertThat(Files.readString(ROOT.resolve("packaging/entente.service")))
        .contains("ExecStart=/opt/entente/bin/entente serve")
        .contains("Restart=on-failure");
  }

  @Test
  void aProcessWithThatOptionEndsThoughItCatchesTheError() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx16m",
                OPTION,
                "-cp",
                Path.of(Hog.class.getProtectionDomain().getCodeSource().getLocation().toURI())
                    .toString(),
                Hog.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isNotZero();
  }
}
