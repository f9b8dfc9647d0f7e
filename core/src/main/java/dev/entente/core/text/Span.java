// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import org.jspecify.annotations.Nullable;

/**
 * A run of items with consecutive ids that share their fate: in the version that is being prepared
 * and in the one that is the outcome. A node of {@link SpanTree}.
 */
final class Span {
  /** Not inserted yet in the prepared version. Above {@link #INSERTED}: deleted so many times. */
  static final int NOT_YET = 0;

  static final int INSERTED = 1;

  /** No item: the beginning as a left origin, the end as a right one. */
  static final int NONE = -1;

  final int id;
  final int originLeft;
  final int originRight;
  final int priority;
  int length;
  int state;
  boolean deleted;

  @Nullable Span left;
  @Nullable Span right;
  @Nullable Span parent;
  int current;
  int outcome;
  int all;

  Span(int id, int length, int originLeft, int originRight, int priority) {
    this.id = id;
    this.length = length;
    this.originLeft = originLeft;
    this.originRight = originRight;
    this.priority = priority;
    this.state = INSERTED;
  }

  int currentLength() {
    return state == INSERTED ? length : 0;
  }

  int outcomeLength() {
    return deleted ? 0 : length;
  }

  /** What the item at an offset was inserted after. */
  int originLeftAt(int offset) {
    return offset == 0 ? originLeft : id + offset - 1;
  }

  void sum() {
    int nowCurrent = currentLength();
    int nowOutcome = outcomeLength();
    int nowAll = length;
    if (left != null) {
      nowCurrent += left.current;
      nowOutcome += left.outcome;
      nowAll += left.all;
    }
    if (right != null) {
      nowCurrent += right.current;
      nowOutcome += right.outcome;
      nowAll += right.all;
    }
    current = nowCurrent;
    outcome = nowOutcome;
    all = nowAll;
  }
}
