// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/** The queue is full; the request was not taken, try again later. */
public final class OverloadedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public OverloadedException(String message) {
    super(message, null, false, false);
  }
}
