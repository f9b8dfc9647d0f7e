// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.NodeId;

/**
 * The node from which versions came, which need not be the one that wrote them.
 *
 * @param node the name by which it called itself
 * @param url where this node asked it; empty where it was not asked at an address
 */
public record Sender(String node, String url) {
  /** Of versions that this node was given by hand. */
  static final Sender UNKNOWN = new Sender("", "");

  /**
   * Of versions that stood in this node's log and were taken out for a while. No node is so called.
   */
  static final Sender OWN_LOG = new Sender("this node's log", "");

  /** A node that was asked at an address. */
  public static Sender at(NodeId node, String url) {
    return new Sender(node.name(), url);
  }

  /** What counts as one sender: an address, which is not chosen as freely as a name. */
  String key() {
    return url.isEmpty() ? node : url;
  }

  /** For an operator. */
  @Override
  public String toString() {
    if (url.isEmpty()) {
      return node.isEmpty() ? "somebody unknown" : node;
    }
    return node.isEmpty() ? url : node + " (" + url + ")";
  }
}
