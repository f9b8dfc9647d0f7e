// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

import java.util.regex.Pattern;

/**
 * Names one incarnation of a replica that accepts writes: {@code name.incarnation}, for example
 * {@code 7f3a91c2.1}. A replica that lost its disk or came back from a backup continues under a new
 * incarnation, so that it never reuses a number.
 */
public record NodeId(String value) implements Comparable<NodeId> {
  private static final Pattern SHAPE = Pattern.compile("[a-zA-Z0-9_-]{1,48}(\\.[0-9]{1,9})?");

  /** The name under which nodes write what they have agreed on first; no node is called so. */
  public static final String GROUP = "group";

  public NodeId {
    if (!SHAPE.matcher(value).matches()) {
      throw new IllegalArgumentException("not a node id: " + value);
    }
  }

  /** Whether a text is the id of a node. */
  public static boolean isValid(String text) {
    return SHAPE.matcher(text).matches();
  }

  /** The name, without the incarnation. */
  public String name() {
    int dot = value.indexOf('.');
    return dot < 0 ? value : value.substring(0, dot);
  }

  /** Which incarnation of the name this is; zero where it says none. */
  public long incarnation() {
    int dot = value.indexOf('.');
    return dot < 0 ? 0 : Long.parseLong(value.substring(dot + 1));
  }

  /**
   * Whether people may mean this node by what they typed: its name, or its name with the
   * incarnation. The incarnation is shown, but nobody has to type it.
   */
  public boolean answersTo(NodeId typed) {
    return equals(typed) || name().equals(typed.value());
  }

  /**
   * Whether this is a group of nodes that agree before anybody has a version. Such versions are
   * taken whatever their clock: a majority vouches for them, and others may build on them already.
   */
  public boolean isGroup() {
    return name().equals(GROUP);
  }

  /** Another incarnation under the same name. */
  public NodeId incarnation(long number) {
    return new NodeId(name() + "." + number);
  }

  @Override
  public int compareTo(NodeId other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
