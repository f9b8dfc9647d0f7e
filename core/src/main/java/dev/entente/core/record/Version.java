// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import java.util.List;
import java.util.Optional;

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
    Optional<Origin> origin) {
  /** One accepted under a clock that nothing is known against. */
  public Version(
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
      List<Change> changes) {
    this(dot, key, previous, context, acceptedAt, time, author, device, eventId, note, changes, 0);
  }

  /** One that was accepted for no request with an id. */
  public Version(
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
      int clockErrorMillis) {
    this(
        dot,
        key,
        previous,
        context,
        acceptedAt,
        time,
        author,
        device,
        eventId,
        note,
        changes,
        clockErrorMillis,
        Optional.empty());
  }

  public Version {
    changes = List.copyOf(changes);
    if (clockErrorMillis < 0) {
      throw new IllegalArgumentException("a clock's error is not negative");
    }
    if (previous < 0 || previous >= dot.number()) {
      throw new IllegalArgumentException("previous " + previous + " does not precede " + dot);
    }
  }

  /** The same by an author who had seen something else and changed something else. */
  Version with(CausalContext seen, List<Change> changed) {
    return new Version(
        dot,
        key,
        previous,
        seen,
        acceptedAt,
        time,
        author,
        device,
        eventId,
        note,
        changed,
        clockErrorMillis,
        origin);
  }

  /** The same, accepted for a request. */
  public Version of(Origin request) {
    return new Version(
        dot,
        key,
        previous,
        context,
        acceptedAt,
        time,
        author,
        device,
        eventId,
        note,
        changes,
        clockErrorMillis,
        Optional.of(request));
  }

  /** Whether it edits a text or a list. */
  boolean editsSequences() {
    return changes.stream().anyMatch(Change.EditSequence.class::isInstance);
  }

  /** Whether it erases what the record held. */
  public boolean erases() {
    return changes.stream().anyMatch(Change.Clear.class::isInstance);
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
