// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node recovers by itself where it may, and not without end. */
class RecoveriesTest {
  @TempDir Path data;
  private final StringWriter said = new StringWriter();
  private final PrintWriter err = new PrintWriter(said);

  private boolean begins(boolean on, int attempts) throws IOException {
    return Recoveries.of(data, on, attempts).begin("repair the store", err);
  }

  @Test
  void nothingIsDoneWhereItIsSwitchedOff() throws IOException {
    assertThat(begins(false, 5)).isFalse();
    assertThat(said.toString()).contains("--auto-recovery=true");
    assertThat(data.resolve("recoveries")).doesNotExist();
  }

  @Test
  void attemptsAreCountedAcrossStarts() throws IOException {
    assertThat(begins(true, 2)).isTrue();
    assertThat(begins(true, 2)).isTrue();
    assertThat(begins(true, 2)).isFalse();
    assertThat(said.toString()).contains("2 times", "recoveries");
    assertThat(begins(true, 3)).isTrue();
  }

  @Test
  void attemptsOfYesterdayDoNotCountAndUnreadableOnesDo() throws IOException {
    Instant old = Instant.now().minus(Duration.ofHours(25));
    Files.writeString(data.resolve("recoveries"), old + " repair\n" + old + " repair\n");
    assertThat(begins(true, 1)).isTrue();
    Files.writeString(data.resolve("recoveries"), "\u0001\u0002\n");
    assertThat(begins(true, 1)).isFalse();
  }

  @Test
  void aNumberOfAttemptsThatMakesNoSenseIsRefused() {
    for (int attempts : new int[] {0, -1, 1_001}) {
      assertThatThrownBy(() -> Recoveries.of(data, true, attempts))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
