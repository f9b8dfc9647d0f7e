// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.record.Change;
import dev.entente.core.record.Origin;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.engine.WriteRequest.Seen;
import java.util.List;
import java.util.Optional;

/**
 * What is to become a version of this node, or of the group it drafts for.
 *
 * @param before the record that the version joins
 * @param context what the author had seen
 * @param seen the record as the author had seen it
 * @param request what a client sent; empty where the node itself writes
 * @param sentBy who sent the request, and which it was; empty where nobody sent one with an id
 */
record Authored(
    WriteOrigin origin,
    Snapshot before,
    CausalContext context,
    RecordState seen,
    String author,
    List<Change> changes,
    String note,
    Optional<WriteRequest> request,
    Optional<Origin> sentBy) {
  Authored {
    changes = List.copyOf(changes);
  }

  /** A version that follows all that the record holds. */
  static Authored following(
      WriteOrigin origin, Snapshot before, String author, List<Change> changes, String note) {
    return concurrent(origin, before, before.state(), author, changes, note);
  }

  /** A version whose author had seen a given state of the record, and none of what came since. */
  static Authored concurrent(
      WriteOrigin origin,
      Snapshot before,
      RecordState seen,
      String author,
      List<Change> changes,
      String note) {
    return new Authored(
        origin,
        before,
        CausalContext.of(seen.context()),
        seen,
        author,
        changes,
        note,
        Optional.empty(),
        Optional.empty());
  }

  RecordKey key() {
    return before.key();
  }

  /** Whether the author did not say what was seen, so that all of it is assumed. */
  boolean isBlind() {
    return request
        .map(WriteRequest::seen)
        .filter(seen -> seen instanceof Seen.Everything || seen instanceof Seen.Existing)
        .isPresent();
  }

  boolean isCurrent() {
    return context.dominates(before.state().context());
  }
}
