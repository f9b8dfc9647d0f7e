// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/**
 * The node does not take requests: it is closed, or its store failed. Whether a request in flight
 * was kept is unknown.
 */
public final class NodeStoppedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public NodeStoppedException(String message, @org.jspecify.annotations.Nullable Throwable cause) {
    super(message, cause);
  }
}
