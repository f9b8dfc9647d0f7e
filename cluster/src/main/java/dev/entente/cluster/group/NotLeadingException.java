// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.cluster.UnavailableException;
import java.util.Optional;

/** Another member of the group leads, or none does; nothing was done. */
public final class NotLeadingException extends UnavailableException {
  /** What is said where nobody leads. */
  public static final String NOBODY =
      "no node leads: fewer than half of the voters reach each other, or they are electing;"
          + " nothing was written, try again in a few seconds";

  private static final long serialVersionUID = 1;

  private final transient Optional<String> leader;

  public NotLeadingException(Optional<String> leader) {
    super(leader.map(name -> "the node " + name + " leads; ask it").orElse(NOBODY));
    this.leader = leader;
  }

  /** The name of the node that leads. */
  public Optional<String> leader() {
    return leader;
  }
}
