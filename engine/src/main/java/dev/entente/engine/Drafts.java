// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes in the name of a group of nodes that agrees on every version before anybody has it. The
 * group is one more node of the model: it numbers what it accepts, and its log, the agreed one, is
 * the same everywhere. Used by the sequencer's thread only.
 *
 * <p>The idea: a member works out what the group would accept, on top of all it has agreed on, and
 * proposes the finished versions. They hold only if nothing else was agreed on in between; then
 * every member takes them as it takes versions of any other node. So rules, clocks and policies are
 * asked once, by one member, and members cannot come to different results.
 */
final class Drafts {
  /** From whom what a group agreed on comes. No node is so called. */
  static final Sender VOTERS = new Sender("the voters", "");

  private final Receiver receiver;
  private final Replication replication;

  Drafts(Receiver receiver, Replication replication) {
    this.receiver = receiver;
    this.replication = replication;
  }

  /** Works out commands one after the other, each seeing what those before it would change. */
  static Proposal draft(
      Transaction transaction, NodeId group, long after, List<? extends Command<?>> commands) {
    transaction.beginDraft(group, after);
    commands.forEach(command -> command.draft(transaction));
    Transaction.Draft draft = transaction.endDraft();
    boolean alone = commands.size() == 1 && commands.getFirst().isLocalToo();
    if (alone && draft.versions().isEmpty()) {
      // Nothing to agree on: what it changed here, such as a vote counted, is this node's own.
      commands.getFirst().draft(transaction);
    }
    return new Proposal(after, draft.versions(), draft.answers(), draft.fences());
  }

  /**
   * Takes what the group has agreed on. Harmless where it was taken before. A version that its
   * record cannot take is set aside with a review, and all else is taken: every member goes on from
   * the same number.
   *
   * @return the versions that were set aside, with the reasons
   */
  List<String> take(Transaction transaction, NodeId group, Proposal agreed, long nowMillis) {
    List<String> aside = new ArrayList<>();
    for (byte[] version : agreed.versions()) {
      switch (receiver.receive(transaction, version, VOTERS, nowMillis)) {
        case Receipt.Violated(Dot dot, CausalViolation _, String why) ->
            aside.add(dot + ": " + why);
        case Receipt.Damaged(String why) -> aside.add(why);
        case Receipt.Applied _, Receipt.Seen _, Receipt.Held _ -> {}
      }
    }
    receiver.settle(transaction, nowMillis);
    agreed.answers().forEach(a -> Answers.take(transaction, a.key(), a.answer()));
    if (agreed.last() > 0) {
      replication.learn(transaction, VersionVector.of(Map.of(group, agreed.last())));
    }
    return aside;
  }
}
