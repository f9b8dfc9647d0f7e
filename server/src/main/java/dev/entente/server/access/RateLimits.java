// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.entente.core.record.RecordKey;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * How fast a credential may go on, and how fast it may change one record, so that a client gone
 * wild harms neither others nor the record it is stuck at. Each is a token bucket: a steady rate,
 * and a minute or ten seconds of it at once. Thread-safe.
 */
public final class RateLimits {
  /** The greatest rate; a bucket refills by one at most in a nanosecond. */
  public static final int PER_SECOND_MAX = 1_000_000;

  private static final int BUCKETS_MAX = 100_000;
  private static final int GUESSES_PER_SECOND = 10;

  /** Whose turn comes later is refused. */
  private static final Duration TURN_MAX = Duration.ofSeconds(1);

  private final Limits limits;
  private final TimeMeter clock;
  private final Cache<String, Bucket> credentials = cache();
  private final Cache<String, Bucket> records = cache();
  private final Cache<String, Bucket> tenants = cache();
  private final Cache<String, Bucket> guesses = cache();

  /**
   * The steady rates.
   *
   * @param requestsPerSecond of one credential; ten seconds of it at once; 0 for any
   * @param changesPerSecond of one record by one credential; a minute of it at once; 0 for any
   * @param tenantRequestsPerSecond of one tenant, by whomever; a tenth of a second of it at once; 0
   *     for any
   */
  public record Limits(int requestsPerSecond, int changesPerSecond, int tenantRequestsPerSecond) {
    /** What holds where nobody says otherwise. */
    public static final Limits DEFAULT = new Limits(2_000, 50);

    /** Checks the rates. */
    public Limits {
      requireRate(requestsPerSecond);
      requireRate(changesPerSecond);
      requireRate(tenantRequestsPerSecond);
    }

    private static void requireRate(int perSecond) {
      if (perSecond < 0 || perSecond > PER_SECOND_MAX) {
        throw new IllegalArgumentException(
            "a rate limit is from 0 to " + PER_SECOND_MAX + " a second, not " + perSecond);
      }
    }

    /** With no limit on a tenant. */
    public Limits(int requestsPerSecond, int changesPerSecond) {
      this(requestsPerSecond, changesPerSecond, 0);
    }
  }

  /**
   * When a request's turn is.
   *
   * @param refused whether that is too far off to wait for; else the turn is reserved
   */
  public record Turn(Duration delay, boolean refused) {
    static final Turn NOW = new Turn(Duration.ZERO, false);
  }

  /**
   * @param nanos a clock that only goes forward
   */
  public RateLimits(Limits limits, LongSupplier nanos) {
    this.limits = limits;
    this.clock =
        new TimeMeter() {
          @Override
          public long currentTimeNanos() {
            return nanos.getAsLong();
          }

          @Override
          public boolean isWallClockBased() {
            return false;
          }
        };
  }

  private static Cache<String, Bucket> cache() {
    return Caffeine.newBuilder().maximumSize(BUCKETS_MAX).build();
  }

  /** Counts a request; how long to wait where it is one too many. */
  public Optional<Duration> request(Caller caller) {
    return take(credentials, caller.name(), limits.requestsPerSecond(), 10);
  }

  /** Counts a change of a record; how long to wait where it is one too many. */
  public Optional<Duration> change(Caller caller, RecordKey key) {
    return take(records, caller.name() + "\n" + key, limits.changesPerSecond(), 60);
  }

  /**
   * Counts a credential that was none.
   *
   * @param address where it came from
   * @param credential what it was taken for: the id of a token, or what there is one of
   */
  public void guessed(String address, String credential) {
    Optional<Duration> _ = take(guesses, "a" + address, GUESSES_PER_SECOND, 100);
    Optional<Duration> _ = take(guesses, "c" + credential, GUESSES_PER_SECOND, 100);
  }

  /** Whether so many from an address, or at one credential, were none that it is told to wait. */
  public boolean guessesTooMuch(String address, String credential) {
    return isEmpty("a" + address) || isEmpty("c" + credential);
  }

  private boolean isEmpty(String guesser) {
    Bucket bucket = guesses.getIfPresent(guesser);
    return bucket != null && bucket.getAvailableTokens() == 0;
  }

  /** Counts a request of a tenant; those that are too many wait in line for their turn. */
  public Turn turn(String tenant) {
    int perSecond = limits.tenantRequestsPerSecond();
    if (perSecond == 0) {
      return Turn.NOW;
    }
    Bucket bucket = bucket(tenants, tenant, Math.max(1, perSecond / 10), perSecond);
    long nanos = bucket.estimateAbilityToConsume(1).getNanosToWaitForRefill();
    return nanos > TURN_MAX.toNanos()
        ? new Turn(Duration.ofNanos(nanos), true)
        : new Turn(Duration.ofNanos(bucket.consumeIgnoringRateLimits(1)), false);
  }

  private Optional<Duration> take(
      Cache<String, Bucket> buckets, String name, int perSecond, int secondsAtOnce) {
    if (perSecond == 0) {
      return Optional.empty();
    }
    Bucket bucket = bucket(buckets, name, (long) perSecond * secondsAtOnce, perSecond);
    ConsumptionProbe probe = bucket.tryConsumeAndReturnRemaining(1);
    return probe.isConsumed()
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(probe.getNanosToWaitForRefill()));
  }

  private Bucket bucket(Cache<String, Bucket> buckets, String name, long atOnce, int perSecond) {
    return buckets.get(
        name,
        _ ->
            Bucket.builder()
                .withCustomTimePrecision(clock)
                .addLimit(
                    limit -> limit.capacity(atOnce).refillGreedy(perSecond, Duration.ofSeconds(1)))
                .build());
  }
}
