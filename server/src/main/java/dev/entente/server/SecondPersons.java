// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.Authority;
import dev.entente.engine.Node;
import dev.entente.engine.NodeEvent;
import dev.entente.engine.Review;
import dev.entente.engine.ReviewSheet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Carries out what two persons have approved on two nodes at once, where neither knew of the other.
 * Thread-safe.
 */
final class SecondPersons {
  private final Node node;
  private final Authority authority;
  private final Queue<Review> approved = new ConcurrentLinkedQueue<>();

  SecondPersons(Node node, Authority authority) {
    this.node = node;
    this.authority = authority;
  }

  /** Hears what the node tells. */
  void accept(NodeEvent event) {
    if (event instanceof NodeEvent.ReviewApproved(Review review, _)
        && review.handling().approvals().size() > 1) {
      approved.add(review);
    }
  }

  /** Goes through what was approved since it last looked. */
  void look() {
    // What fails stays where it is, and is looked at again.
    for (Review next = approved.peek(); next != null; next = approved.peek()) {
      node.review(next.key().tenant(), next.id())
          .filter(review -> review.status() == Review.Status.PENDING)
          .ifPresent(review ->
              agreed(review.handling().approvals()).ifPresent(last -> carryOut(review, last)));
      approved.remove();
    }
  }

  /** The later of two approvals of the same by two persons. */
  private static Optional<ReviewSheet.Approval> agreed(List<ReviewSheet.Approval> approvals) {
    return approvals.reversed().stream()
        .filter(last ->
            approvals.stream()
                .anyMatch(
                    first -> first.what().equals(last.what()) && !first.by().equals(last.by())))
        .findFirst();
  }

  private void carryOut(Review review, ReviewSheet.Approval last) {
    // Where it is not possible any more, the review says so to whoever looks at it next.
    var _ =
        Writes.await(() ->
            authority.decide(
                review.key().tenant(),
                review.id(),
                ReviewRoutes.decision(last.what()),
                last.by(),
                last.reason(),
                Optional.empty()));
  }
}
