// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import org.jspecify.annotations.Nullable;

/**
 * Spans in document order, found by their position in the prepared version and asked for their
 * position in the outcome, each in logarithmic time: a treap with sums. Source: Seidel, Aragon,
 * <i>Randomized search trees</i>, 1996. Not thread-safe.
 */
final class SpanTree {
  private @Nullable Span root;
  private int random = 0x9E3779B9;

  /** After {@link #find}: where in the span the position is. */
  private int offset;

  void clear() {
    root = null;
  }

  /** A priority for a new span; the sequence is the same each time. */
  int priority() {
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    return random;
  }

  int offset() {
    return offset;
  }

  /** The span that holds the item at a position of the prepared version; null behind the last. */
  @Nullable Span find(int position) {
    Span at = root;
    int rest = position;
    if (at == null || rest >= at.current) {
      return null;
    }
    while (true) {
      Span before = at.left;
      int leftOf = before == null ? 0 : before.current;
      if (rest < leftOf) {
        at = java.util.Objects.requireNonNull(before);
        continue;
      }
      rest -= leftOf;
      int own = at.currentLength();
      if (rest < own) {
        offset = rest;
        return at;
      }
      rest -= own;
      at = java.util.Objects.requireNonNull(at.right);
    }
  }

  @Nullable Span first() {
    return root == null ? null : leftmost(root);
  }

  private static Span leftmost(Span span) {
    Span at = span;
    while (at.left != null) {
      at = at.left;
    }
    return at;
  }

  @Nullable Span next(Span span) {
    if (span.right != null) {
      return leftmost(span.right);
    }
    Span at = span;
    while (at.parent != null && at.parent.right == at) {
      at = at.parent;
    }
    return at.parent;
  }

  /** Where the span begins in the outcome. */
  int outcomeBefore(Span span) {
    int sum = span.left == null ? 0 : span.left.outcome;
    for (Span at = span; at.parent != null; at = at.parent) {
      Span above = at.parent;
      if (above.right == at) {
        sum += above.outcomeLength() + (above.left == null ? 0 : above.left.outcome);
      }
    }
    return sum;
  }

  /** Where the span begins among all items, deleted ones included. */
  int rank(Span span) {
    int sum = span.left == null ? 0 : span.left.all;
    for (Span at = span; at.parent != null; at = at.parent) {
      Span above = at.parent;
      if (above.right == at) {
        sum += above.length + (above.left == null ? 0 : above.left.all);
      }
    }
    return sum;
  }

  /** Inserts a span after another; null: at the beginning. */
  void insertAfter(@Nullable Span before, Span span) {
    if (root == null) {
      root = span;
      span.sum();
      return;
    }
    if (before == null) {
      Span first = leftmost(root);
      first.left = span;
      span.parent = first;
    } else if (before.right == null) {
      before.right = span;
      span.parent = before;
    } else {
      Span after = leftmost(before.right);
      after.left = span;
      span.parent = after;
    }
    span.sum();
    while (span.parent != null && span.parent.priority < span.priority) {
      rotateUp(span);
    }
    if (span.parent == null) {
      root = span;
    } else {
      changed(span.parent);
    }
  }

  private void rotateUp(Span span) {
    Span above = java.util.Objects.requireNonNull(span.parent);
    Span grand = above.parent;
    if (above.left == span) {
      above.left = span.right;
      if (span.right != null) {
        span.right.parent = above;
      }
      span.right = above;
    } else {
      above.right = span.left;
      if (span.left != null) {
        span.left.parent = above;
      }
      span.left = above;
    }
    above.parent = span;
    span.parent = grand;
    if (grand != null) {
      if (grand.left == above) {
        grand.left = span;
      } else {
        grand.right = span;
      }
    }
    above.sum();
    span.sum();
  }

  /** Takes note that a span's length or fate changed. */
  void changed(Span span) {
    for (Span at = span; at != null; at = at.parent) {
      at.sum();
    }
  }

  /** Cuts a span in two and returns the second part. */
  Span split(Span span, int at) {
    Span rest =
        new Span(span.id + at, span.length - at, span.id + at - 1, span.originRight, priority());
    rest.state = span.state;
    rest.deleted = span.deleted;
    span.length = at;
    changed(span);
    insertAfter(span, rest);
    return rest;
  }
}
