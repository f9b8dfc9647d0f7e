// SPDX-License-Identifier: Apache-2.0
/** The port to an ordered, atomic, durable store, and its two engines. Knows bytes only. */
@NullMarked
package dev.entente.engine.store;

import org.jspecify.annotations.NullMarked;
