// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;

/** Waits for what real processes come to, while they may come and go. */
final class Eventually {
  private static final Duration PAUSE = Duration.ofMillis(50);

  /** Something that may throw. */
  @FunctionalInterface
  interface Check {
    boolean holds() throws IOException, InterruptedException;
  }

  private Eventually() {}

  /** Fails where it does not hold within a time; nobody answering is no reason to fail before. */
  static void holds(Duration within, Check check) throws IOException, InterruptedException {
    long end = System.nanoTime() + within.toNanos();
    while (System.nanoTime() < end) {
      try {
        if (check.holds()) {
          return;
        }
      } catch (IOException e) {
        Thread.sleep(PAUSE);
      }
      Thread.sleep(PAUSE);
    }
    assertThat(check.holds()).isTrue();
  }
}
