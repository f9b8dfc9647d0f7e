// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.server.Problem.Code;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is done over and over goes on, whatever it fails with. */
class ChoresTest {
  @Test
  void aChoreThatFailsIsTriedAgain() throws InterruptedException {
    CountDownLatch tries = new CountDownLatch(3);
    try (Chores chores = new Chores()) {
      chores.every(
          Duration.ofMillis(1),
          "failing",
          () -> {
            tries.countDown();
            throw new Problem(Code.UNAVAILABLE, "nobody answers");
          });
      assertThat(tries.await(30, TimeUnit.SECONDS)).isTrue();
    }
  }
}
