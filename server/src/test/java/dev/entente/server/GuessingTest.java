// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.server.access.RateLimits;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Credentials that are none are counted, say nothing, and come to an end. */
class GuessingTest {
  private static final String PATH = "/v1/main/policies";

  private static Served.Answer as(Served served, String token) {
    return served.send("GET", PATH, new byte[0], Map.of("Authorization", "Bearer " + token));
  }

  @Test
  void whatIsWrongWithACredentialIsNotSaid() {
    try (Served served = new Served()) {
      String good = served.account("ann", "reader@main");
      String revoked = served.account("bob", "reader@main");
      served.json("DELETE", "/v1/cluster/accounts/bob", "");
      Set<String> said = new TreeSet<>();
      for (String token :
          new String[] {
            revoked,
            good.substring(0, 21) + "0".repeat(48),
            "ent_" + "0".repeat(16) + "_" + "0".repeat(48),
            Served.TOKEN.substring(1),
            "x"
          }) {
        said.add(as(served, token).body());
      }
      assertThat(said).hasSize(1);
    }
  }

  @Test
  void afterAThousandGuessesFromItsAddressARightCredentialIsStillAccepted() throws Exception {
    try (Served served = new Served()) {
      String account = served.account("ann", "reader@main");
      int tried = 0;
      while (as(served, "guess-" + tried).status() == 401) {
        tried++;
        assertThat(tried).as("guesses that were let through").isLessThan(5_000);
      }
      assertThat(tried).isGreaterThanOrEqualTo(999);
      Served.Answer refused = as(served, "one-more");
      assertThat(refused.status()).isIn(401, 429);
      assertThat(as(served, account).status()).isEqualTo(200);
      assertThat(as(served, Served.TOKEN).status()).isEqualTo(200);
      assertThat(served.get("/metrics").body())
          .contains("entente_throttled_total{what=\"credentials\"}");
      assertThat(served.get("/v1/cluster/audit").body()).contains("refused-credential");
    }
  }

  @Test
  void aCredentialThatIsTriedFromManyAddressesIsCountedByItself() {
    AtomicLong nanos = new AtomicLong();
    RateLimits limits = new RateLimits(RateLimits.Limits.DEFAULT, nanos::get);
    for (int i = 0; i < 1_000; i++) {
      assertThat(limits.guessesTooMuch("10.0.0." + i, "0123456789abcdef")).isFalse();
      limits.guessed("10.0.0." + i, "0123456789abcdef");
    }
    assertThat(limits.guessesTooMuch("10.0.1.1", "0123456789abcdef")).isTrue();
    assertThat(limits.guessesTooMuch("10.0.1.1", "another")).isFalse();
    assertThat(limits.guessesTooMuch("10.0.0.1", "another")).isFalse();
  }

  @Test
  void eachAddressGuessesForItself() {
    AtomicLong nanos = new AtomicLong();
    RateLimits limits = new RateLimits(RateLimits.Limits.DEFAULT, nanos::get);
    for (int i = 0; i < 1_000; i++) {
      assertThat(limits.guessesTooMuch("10.0.0.1", "y")).isFalse();
      limits.guessed("10.0.0.1", "x" + nanos);
    }
    assertThat(limits.guessesTooMuch("10.0.0.1", "y")).isTrue();
    assertThat(limits.guessesTooMuch("10.0.0.2", "y")).isFalse();
    nanos.addAndGet(100_000_000);
    assertThat(limits.guessesTooMuch("10.0.0.1", "y")).as("one more each 100 ms").isFalse();
    limits.guessed("10.0.0.1", "x" + nanos);
    assertThat(limits.guessesTooMuch("10.0.0.1", "y")).isTrue();
  }
}
