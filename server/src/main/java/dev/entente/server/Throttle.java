// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Node;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Caller;
import dev.entente.server.access.Grant;
import dev.entente.server.access.Permission;
import dev.entente.server.access.RateLimits;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Refuses who goes too fast; every refusal is counted, and each such client is noted in the audit
 * log once a minute. Administrators of everything are not held back. Thread-safe.
 */
final class Throttle {
  private static final Duration NOTED_EVERY = Duration.ofMinutes(1);
  private static final int NOTED_MAX = 10_000;

  /** The longest name of a credential; what is longer is a hash. */
  private static final int NAMED_MAX = 40;

  private final Node node;
  private final Metrics metrics;
  private final RateLimits limits;
  private final Cache<String, Boolean> noted =
      Caffeine.newBuilder().maximumSize(NOTED_MAX).expireAfterWrite(NOTED_EVERY).build();

  Throttle(Node node, Metrics metrics, RateLimits limits) {
    this.node = node;
    this.metrics = metrics;
    this.limits = limits;
  }

  private static boolean isFree(Caller caller) {
    return caller.may(Permission.ADMINISTER, Grant.ALL);
  }

  /**
   * Counts a request, or refuses it; has it wait for its turn where its tenant sends too many, so
   * that others are not slowed down.
   *
   * @param tenant empty where it is of none
   */
  void request(Caller caller, Optional<String> tenant) {
    if (isFree(caller)) {
      return;
    }
    limits
        .request(caller)
        .ifPresent(wait -> refuse(caller, "requests", caller.name() + " sends", wait));
    if (tenant.isPresent()) {
      RateLimits.Turn turn = limits.turn(tenant.get());
      if (turn.refused()) {
        refuse(caller, "requests", "the tenant " + tenant.get() + " sends", turn.delay());
      } else if (turn.delay().isPositive()) {
        metrics.throttled("delayed");
        await(turn.delay());
      }
    }
  }

  private static void await(Duration wait) {
    try {
      Thread.sleep(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Problem(Code.UNAVAILABLE, "the node is stopping");
    }
  }

  /** Counts a change of a record, or refuses it. */
  void change(Caller caller, RecordKey key) {
    if (!isFree(caller)) {
      limits
          .change(caller, key)
          .ifPresent(
              wait -> refuse(caller, "changes of " + key, caller.name() + " changes " + key, wait));
    }
  }

  /**
   * Whether an address, or whoever tries one credential from many, is told to wait: a thousand were
   * wrong, and ten more each second. Who has the right one is never refused.
   */
  boolean guessesTooMuch(String address, String credential) {
    return limits.guessesTooMuch(address, credential);
  }

  /** Counts a credential that was none. */
  void guessed(String address, String credential) {
    limits.guessed(address, credential);
    metrics.throttled("credentials");
    if (noted.asMap().putIfAbsent("credentials", true) == null) {
      JsonObject what =
          JsonObject.of("what", Json.of("a credential that is not good here"))
              .with("credential", Json.of(credential.length() > NAMED_MAX ? "" : credential));
      Writes.await(() -> node.account("refused-credential", address, what));
    }
  }

  /** What somebody is told who guessed too much. */
  static Problem guessedTooMuch() {
    return new Problem(
        Code.TOO_FAST,
        "too many credentials from your address, or for this account, were not good; wait 10 s",
        Map.of("retryAfter", Json.of(10)));
  }

  private void refuse(Caller caller, String what, String who, Duration wait) {
    metrics.throttled(what.equals("requests") ? "requests" : "changes");
    if (noted.asMap().putIfAbsent(caller.name() + "\n" + what, true) == null) {
      Writes.await(
          () -> node.account("throttled", caller.name(), JsonObject.of("what", Json.of(what))));
    }
    long seconds = wait.toSeconds() + 1;
    throw new Problem(
        Code.TOO_FAST,
        who + " faster than is allowed; wait " + seconds + " s, and send less often",
        Map.of("retryAfter", Json.of(seconds)));
  }
}
