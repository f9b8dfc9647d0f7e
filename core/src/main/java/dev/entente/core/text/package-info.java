// SPDX-License-Identifier: Apache-2.0
/**
 * Lists and texts that many edit at once: an event graph of insertions and deletions, replayed in
 * one deterministic order. Events are plain operational-transform operations (a position and what
 * happens there); {@link dev.entente.core.text.Walker} transforms those that were concurrent.
 *
 * <p>Main types: {@link dev.entente.core.text.TextDocument}, a replica with its history. Never
 * knows records or policies.
 */
@NullMarked
package dev.entente.core.text;

import org.jspecify.annotations.NullMarked;
