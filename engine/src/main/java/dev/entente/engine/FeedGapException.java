// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

/** A cursor of the changes feed cannot be honoured: something the reader has not seen is gone. */
public final class FeedGapException extends RuntimeException {
  private static final long serialVersionUID = 1;

  FeedGapException(String message) {
    super(message);
  }
}
