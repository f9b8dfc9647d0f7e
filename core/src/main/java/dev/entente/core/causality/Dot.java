// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.causality;

/** One accepted version: the {@code number}-th that {@code node} accepted, counted from 1. */
public record Dot(NodeId node, long number) implements Comparable<Dot> {
  public Dot {
    if (number < 1) {
      throw new IllegalArgumentException("a dot's number starts at 1, not " + number);
    }
  }

  @Override
  public int compareTo(Dot other) {
    int order = node.compareTo(other.node);
    return order != 0 ? order : Long.compare(number, other.number);
  }

  @Override
  public String toString() {
    return node + ":" + number;
  }
}
