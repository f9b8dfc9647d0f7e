// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An authored fact, never changed: what one author did to one record, having seen {@code context}.
 *
 * @param previous the number of the accepting node's last version of the same record, 0 for none
 * @param acceptedAt the hybrid time of acceptance
 * @param time when the author says it was made; equals {@code acceptedAt} where they do not say
 * @param device the device whose own writes follow each other, if the author wrote through one
 * @param eventId the author's own name for this write, if given
 * @param note why, in the author's words (decisions and rollbacks give a reason); empty for none
 * @param clockErrorMillis by how much the accepting node's clock was known to be off
 * @param origin which request it was accepted for; empty where the author gave no event id and no
 *     device, and in versions of earlier releases
 * @param proof who vouches for it, where the record demands that
 */
public record Version(
    Dot dot,
    RecordKey key,
    long previous,
    CausalContext context,
    HybridTime acceptedAt,
    HybridTime time,
    String author,
    Optional<String> device,
    Optional<String> eventId,
    String note,
    List<Change> changes,
    int clockErrorMillis,
    Optional<Origin> origin,
    Optional<Proof> proof) {
  public Version {
    changes = List.copyOf(changes);
    if (clockErrorMillis < 0) {
      throw new IllegalArgumentException("a clock's error is not negative");
    }
    if (previous < 0 || previous >= dot.number()) {
      throw new IllegalArgumentException("previous " + previous + " does not precede " + dot);
    }
  }

  /** Starts a version of a record; what is not set is empty or zero. */
  public static Builder builder(Dot dot, RecordKey key) {
    return new Builder(dot, key);
  }

  /** A builder that holds all of this version. */
  public Builder toBuilder() {
    Builder builder = new Builder(dot, key);
    builder.previous = previous;
    builder.context = context;
    builder.acceptedAt = acceptedAt;
    builder.time = time;
    builder.author = author;
    builder.device = device;
    builder.eventId = eventId;
    builder.note = note;
    builder.changes = changes;
    builder.clockErrorMillis = clockErrorMillis;
    builder.origin = origin;
    builder.proof = proof;
    return builder;
  }

  /**
   * Sets the components of a version one by one. A new component is added here, in {@link
   * #toBuilder} and in the codecs. Not thread-safe.
   */
  public static final class Builder {
    private final Dot dot;
    private final RecordKey key;
    private long previous;
    private CausalContext context = CausalContext.EMPTY;
    private HybridTime acceptedAt = HybridTime.ZERO;
    private @Nullable HybridTime time;
    private String author = "";
    private Optional<String> device = Optional.empty();
    private Optional<String> eventId = Optional.empty();
    private String note = "";
    private List<Change> changes = List.of();
    private int clockErrorMillis;
    private Optional<Origin> origin = Optional.empty();
    private Optional<Proof> proof = Optional.empty();

    private Builder(Dot dot, RecordKey key) {
      this.dot = dot;
      this.key = key;
    }

    /** The number of the accepting node's last version of the record; 0 for none. */
    public Builder previous(long number) {
      previous = number;
      return this;
    }

    /** What the author had seen. */
    public Builder context(CausalContext seen) {
      context = seen;
      return this;
    }

    /** The time of acceptance; also the author's time unless that is set. */
    public Builder acceptedAt(HybridTime accepted) {
      acceptedAt = accepted;
      return this;
    }

    /** The author's time. */
    public Builder time(HybridTime authored) {
      time = authored;
      return this;
    }

    public Builder author(String name) {
      author = name;
      return this;
    }

    public Builder device(Optional<String> name) {
      device = name;
      return this;
    }

    public Builder eventId(Optional<String> id) {
      eventId = id;
      return this;
    }

    public Builder note(String text) {
      note = text;
      return this;
    }

    public Builder changes(List<Change> made) {
      changes = made;
      return this;
    }

    public Builder clockErrorMillis(int error) {
      clockErrorMillis = error;
      return this;
    }

    public Builder origin(Optional<Origin> request) {
      origin = request;
      return this;
    }

    public Builder proof(Optional<Proof> of) {
      proof = of;
      return this;
    }

    /**
     * The version.
     *
     * @throws IllegalArgumentException where the components do not fit together
     */
    public Version build() {
      return new Version(
          dot,
          key,
          previous,
          context,
          acceptedAt,
          time == null ? acceptedAt : time,
          author,
          device,
          eventId,
          note,
          changes,
          clockErrorMillis,
          origin,
          proof);
    }
  }

  /** Whether it edits a text or a list. */
  boolean editsSequences() {
    for (Change change : changes) {
      if (change instanceof Change.EditSequence) {
        return true;
      }
    }
    return false;
  }

  /** Whether it erases what the record held. */
  public boolean erases() {
    for (Change change : changes) {
      if (change instanceof Change.Clear) {
        return true;
      }
    }
    return false;
  }

  /** Whether it takes the whole record away. */
  public boolean removesRecord() {
    for (Change change : changes) {
      if (change instanceof Change.Assign assign && assign.unit().equals(Unit.ALIVE)) {
        return assign.value().isAbsent();
      }
    }
    return false;
  }
}
