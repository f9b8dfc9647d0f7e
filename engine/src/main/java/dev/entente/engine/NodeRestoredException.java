// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/**
 * Why a node stopped whose directory turned out to be older than what others have of it: opened
 * again, it continues under a new incarnation.
 */
public final class NodeRestoredException extends RuntimeException {
  private static final long serialVersionUID = 1;

  NodeRestoredException(String message) {
    super(message);
  }
}
