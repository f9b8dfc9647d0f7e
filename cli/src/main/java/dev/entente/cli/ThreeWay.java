// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import java.util.List;

/**
 * Merges three documents by the core alone: a base, and two versions written by authors who both
 * had read it.
 */
record ThreeWay(View view, Json left) {
  static final RecordKey KEY = new RecordKey("main", "document", "merge");

  static ThreeWay of(Policy policy, Json base, Json left, Json right) {
    NodeId node = new NodeId("merge");
    RecordState empty = RecordState.EMPTY;
    RecordState start = write(empty, empty, policy, node, 1, "base", base);
    RecordState one = write(start, start, policy, node, 2, "left", left);
    RecordState both = write(one, start, policy, node, one.context().get(node) + 1, "right", right);
    return new ThreeWay(Deriver.derive(KEY, both, policy), left);
  }

  private static RecordState write(
      RecordState state,
      RecordState seen,
      Policy policy,
      NodeId node,
      long number,
      String author,
      Json document) {
    Json read = Deriver.derive(KEY, seen, policy).data();
    try {
      var changes =
          Authoring.changes(seen, policy, author, read, new Edit.Put(Replay.wrapped(document)));
      if (changes.isEmpty()) {
        return state;
      }
      VersionVector context = seen.context();
      HybridTime time = HybridTime.ofMillis(number);
      Version version =
          Version.builder(new Dot(node, number), KEY)
              .previous(state.context().get(node))
              .context(CausalContext.of(context))
              .acceptedAt(time)
              .author(author)
              .changes(changes)
              .build();
      if (state.apply(version) instanceof RecordState.Applied.Joined(RecordState joined)) {
        return joined;
      }
      throw new IllegalStateException("three versions in a row do not follow each other");
    } catch (EditProblem e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** The merged document; where a person must decide, the left value stands. */
  Json withLeftWherePending() {
    Json merged = view.data();
    for (Resolution resolution : view.resolutions()) {
      if (!resolution.isPending()) {
        continue;
      }
      if (resolution.conflict().recordLevel() || resolution.conflict().unit().path().isRoot()) {
        return left;
      }
      Json document = Replay.wrapped(left);
      List<String> fields = resolution.conflict().unit().path().names();
      merged =
          resolution.conflict().unit().isGroup()
              ? merged
              : resolution
                  .conflict()
                  .unit()
                  .path()
                  .set(merged, new dev.entente.core.json.Path(fields).in(document));
    }
    return Replay.unwrapped(merged.isAbsent() ? JsonAbsent.ABSENT : merged);
  }
}
