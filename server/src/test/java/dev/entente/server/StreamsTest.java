// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;

class StreamsTest {
  private final Streams streams = new Streams(8);

  private void isRefused(String tenant, String caller) {
    assertThatExceptionOfType(Problem.class).isThrownBy(() -> streams.open(tenant, caller));
  }

  @Test
  void aRequestThatWaitsCountsAsAStreamWhileItWaits() {
    streams.open("a", "ann");
    int answer =
        streams.within(
            "a",
            "ann",
            () -> {
              isRefused("a", "ann");
              return 7;
            });
    assertThat(answer).isEqualTo(7);
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() ->
            streams.within(
                "a",
                "ann",
                () -> {
                  throw new IllegalStateException("it failed");
                }));
    streams.open("a", "ann");
  }

  @Test
  void neitherACredentialNorATenantTakesAllStreams() {
    streams.open("a", "ann");
    streams.open("a", "ann");
    isRefused("a", "ann");
    isRefused("b", "ann");
    streams.open("a", "bob");
    streams.open("a", "bob");
    isRefused("a", "cy");
    streams.open("b", "cy");
    streams.closed("a", "ann");
    streams.open("b", "ann");
    isRefused("b", "ann");
  }
}
