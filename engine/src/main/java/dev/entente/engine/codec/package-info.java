// SPDX-License-Identifier: Apache-2.0
/**
 * Binary formats of audit entries, lock commands and table keys; see {@code docs/formats}. Equal
 * values give equal bytes.
 */
@NullMarked
package dev.entente.engine.codec;

import org.jspecify.annotations.NullMarked;
