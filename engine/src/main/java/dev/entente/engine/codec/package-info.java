// SPDX-License-Identifier: Apache-2.0
/**
 * How versions, states and audit entries look as bytes; see {@code docs/formats}. Equal values give
 * equal bytes.
 */
@NullMarked
package dev.entente.engine.codec;

import org.jspecify.annotations.NullMarked;
