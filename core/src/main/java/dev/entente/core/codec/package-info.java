// SPDX-License-Identifier: Apache-2.0
/**
 * Binary formats of JSON values, versions and record states; see {@code docs/formats}. Equal values
 * have equal bytes. Decoding trusts nothing in its input: it fails with {@link
 * dev.entente.core.codec.ByteReader.DamagedException} and never skips what it cannot read.
 */
@NullMarked
package dev.entente.core.codec;

import org.jspecify.annotations.NullMarked;
