// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import java.util.Locale;

/** How a link to another node is. */
public enum LinkState {
  /** Nothing has been heard yet. */
  CONNECTING,
  /** The other answers, and this node has all that it had at the last answer. */
  IN_STEP,
  /** The other answers, and has more than this node has taken. */
  CATCHING_UP,
  /** The other has not answered for longer than its habits explain. */
  UNREACHABLE,
  /** An operator has cut it. */
  CUT,
  /** The other answers with something that cannot be taken. */
  REFUSED;

  /** Whether the other answers. */
  public boolean isUp() {
    return this == IN_STEP || this == CATCHING_UP;
  }

  /** The state with a label. */
  static LinkState of(String label) {
    for (LinkState state : values()) {
      if (state.label().equals(label)) {
        return state;
      }
    }
    throw new IllegalArgumentException("no link is " + label);
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
