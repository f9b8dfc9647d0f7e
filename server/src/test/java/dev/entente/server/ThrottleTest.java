// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.entente.core.record.RecordKey;
import dev.entente.server.access.Caller;
import dev.entente.server.access.Grant;
import dev.entente.server.access.RateLimits;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** A client gone wild is held back, and harms neither others nor what it is stuck at. */
class ThrottleTest {
  private static final RecordKey CART = new RecordKey("main", "cart", "1");
  private final AtomicLong nanos = new AtomicLong(1);

  private static Caller caller(String name) {
    return new Caller(name, List.of(Grant.parse("writer@main")));
  }

  /** How many of so many changes a second pass within some seconds. */
  private int passed(RateLimits limits, Caller caller, RecordKey key, int perSecond, int seconds) {
    int passed = 0;
    for (int i = 0; i < perSecond * seconds; i++) {
      nanos.addAndGet(1_000_000_000L / perSecond);
      passed += limits.change(caller, key).isEmpty() ? 1 : 0;
    }
    return passed;
  }

  @Test
  void aHundredChangesASecondOfOneCartAreCutToTheRateOnceAMinuteOfItIsUsedUp() {
    RateLimits limits = new RateLimits(RateLimits.Limits.DEFAULT, nanos::get);
    Caller buggy = caller("buggy");
    assertThat(passed(limits, buggy, CART, 100, 60)).as("the first minute").isBetween(5_990, 6_000);
    assertThat(passed(limits, buggy, CART, 100, 60)).as("the next").isBetween(2_990, 3_010);
    assertThat(passed(limits, buggy, new RecordKey("main", "cart", "2"), 100, 10))
        .as("another cart")
        .isEqualTo(1_000);
    assertThat(passed(limits, caller("other"), CART, 40, 60)).as("another client").isEqualTo(2_400);
    assertThat(limits.change(buggy, CART)).isEmpty();
  }

  @Test
  void theGreatestRateIsAppliedAndGreaterOnesAreRefused() {
    int max = RateLimits.PER_SECOND_MAX;
    RateLimits limits = new RateLimits(new RateLimits.Limits(max, max, max), nanos::get);
    assertThat(limits.request(caller("ann"))).isEmpty();
    assertThat(limits.change(caller("ann"), CART)).isEmpty();
    assertThat(limits.turn("main").refused()).isFalse();
    for (int rate : new int[] {-1, max + 1, 1_000_000_001, Integer.MAX_VALUE}) {
      assertThatIllegalArgumentException().isThrownBy(() -> new RateLimits.Limits(rate, 0, 0));
      assertThatIllegalArgumentException().isThrownBy(() -> new RateLimits.Limits(0, rate, 0));
      assertThatIllegalArgumentException().isThrownBy(() -> new RateLimits.Limits(0, 0, rate));
    }
  }

  @Test
  void requestsOfOneCredentialAreLimitedAndTheAnswerSaysHowLongToWait() {
    RateLimits limits = new RateLimits(new RateLimits.Limits(10, 0), nanos::get);
    Caller caller = caller("ann");
    for (int i = 0; i < 100; i++) {
      assertThat(limits.request(caller)).isEmpty();
    }
    Optional<Duration> wait = limits.request(caller);
    assertThat(wait.orElseThrow().toMillis()).isBetween(50L, 100L);
    nanos.addAndGet(wait.orElseThrow().toNanos());
    assertThat(limits.request(caller)).isEmpty();
    assertThat(limits.request(caller("bob"))).isEmpty();
  }

  @Test
  void requestsOfATenantWaitInLineAndOnlyThoseThatWouldWaitTooLongAreRefused() {
    RateLimits limits = new RateLimits(new RateLimits.Limits(0, 0, 100), nanos::get);
    long waited = -1;
    int passed = 0;
    RateLimits.Turn turn = limits.turn("noisy");
    while (!turn.refused()) {
      passed++;
      assertThat(turn.delay().toNanos()).as("one after the other").isGreaterThanOrEqualTo(waited);
      waited = turn.delay().toNanos();
      turn = limits.turn("noisy");
    }
    assertThat(passed).as("a tenth of a second at once, and a second in line").isBetween(109, 111);
    assertThat(turn.delay().toMillis()).isBetween(1_000L, 1_020L);
    assertThat(limits.turn("quiet").delay()).isZero();
    nanos.addAndGet(500_000_000L);
    int later = 0;
    while (!limits.turn("noisy").refused()) {
      later++;
    }
    assertThat(later).isBetween(49, 51);
  }

  @Test
  void aTenantThatSendsTooManyIsSlowedDownNotRefused() {
    try (Served served = new Served(config -> config.within(new RateLimits.Limits(0, 0, 50)))) {
      String token = served.account("app", "writer@main");
      long began = System.nanoTime();
      for (int i = 0; i < 30; i++) {
        String path = "/v1/main/records/cart/" + i;
        assertThat(served.json("PUT", path, "{}", "Authorization", "Bearer " + token).status())
            .isEqualTo(201);
      }
      assertThat(System.nanoTime() - began)
          .as("25 of them at 50 a second")
          .isGreaterThan(480_000_000L);
      assertThat(served.get("/metrics").body())
          .contains("entente_throttled_total{what=\"delayed\"}");
    }
  }

  @Test
  void whoIsRefusedIsToldSoWithoutLossAndItIsCountedAndNoted() {
    try (Served served = new Served(config -> config.within(new RateLimits.Limits(0, 1)))) {
      served.json("PUT", "/v1/cluster/accounts/app", "{\"grants\":[\"writer@main\"]}");
      String token = served.json("POST", "/v1/cluster/accounts/app/tokens", "{}").text("token");
      String path = "/v1/main/records/cart/1";
      String[] as = {"Authorization", "Bearer " + token};
      int refused = 0;
      for (int i = 0; i < 70; i++) {
        Served.Answer answer = served.json("PUT", path, "{\"n\":" + i + "}", as);
        if (answer.status() == 429) {
          refused++;
          assertThat(answer.text("code")).isEqualTo("too-fast");
          assertThat(answer.response().headers().firstValue("retry-after")).hasValue("1");
        }
      }
      assertThat(refused).isBetween(1, 10);
      Served.Answer synced =
          served.json(
              "POST",
              "/v1/main/sync",
              """
              {"events":[{"id":"1","type":"cart","recordId":"1","op":"put","data":{}},
                         {"id":"2","type":"cart","recordId":"2","op":"put","data":{}}]}\
              """,
              as);
      assertThat(synced.json().get("syncedEventIds").toString()).isEqualTo("[\"2\"]");
      assertThat(synced.json().get("errors").toString()).contains("too-fast");
      assertThat(served.get("/metrics").body())
          .contains("entente_throttled_total{what=\"changes\"}");
      assertThat(served.node.audit("", Long.MAX_VALUE, 100))
          .filteredOn(entry -> entry.action().equals("throttled"))
          .as("once, not for each")
          .hasSize(1);
      for (int i = 0; i < 70; i++) {
        assertThat(
                served
                    .send(
                        "PUT",
                        path,
                        "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8),
                        Map.of())
                    .status())
            .as("an administrator is not held back")
            .isEqualTo(200);
      }
    }
  }
}
