// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** How many reviews wait, by what they are about. In memory; thread-safe. */
public final class OpenReviews {
  private final Map<Subject, Long> counts = new ConcurrentHashMap<>();

  OpenReviews() {}

  /**
   * What reviews that are counted together are about.
   *
   * @param type of the records
   * @param unit the label of the unit, or {@code record}
   * @param conflict the label of the conflict's type
   * @param severity the label of the conflict's severity
   */
  public record Subject(String tenant, String type, String unit, String conflict, String severity)
      implements Comparable<Subject> {
    private static final Comparator<Subject> ORDER =
        Comparator.comparing(Subject::tenant)
            .thenComparing(Subject::type)
            .thenComparing(Subject::unit)
            .thenComparing(Subject::conflict)
            .thenComparing(Subject::severity);

    private static Subject of(Review review) {
      return new Subject(
          review.key().tenant(),
          review.key().type(),
          review.unit(),
          member(review.conflict(), "type"),
          member(review.conflict(), "severity"));
    }

    private static String member(Json conflict, String name) {
      return conflict instanceof JsonObject object
              && object.get(name) instanceof JsonString(String text)
          ? text
          : "";
    }

    @Override
    public int compareTo(Subject other) {
      return ORDER.compare(this, other);
    }
  }

  void change(Optional<Review> before, Optional<Review> after) {
    before.filter(OpenReviews::isOpen).ifPresent(review -> add(review, -1));
    after.filter(OpenReviews::isOpen).ifPresent(review -> add(review, 1));
  }

  private static boolean isOpen(Review review) {
    return review.status() == Review.Status.PENDING;
  }

  private void add(Review review, long change) {
    counts.merge(
        Subject.of(review), change, (was, by) -> was + by == 0 ? null : Long.valueOf(was + by));
  }

  /** The counts, in the order of their subjects. */
  public Map<Subject, Long> counts() {
    return new TreeMap<>(counts);
  }
}
