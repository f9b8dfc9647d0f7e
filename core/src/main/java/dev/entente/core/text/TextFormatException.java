// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

/** Bytes that are no history of a text, or not one that fits here. */
public final class TextFormatException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  TextFormatException(String message) {
    super(message);
  }
}
