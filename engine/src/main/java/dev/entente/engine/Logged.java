// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.record.Version;

/**
 * A version as it stands in a node's log.
 *
 * @param position where; a node's own versions stand at the number of their dot
 * @param previous where the version of the same record stands that came before it; 0 for none
 */
public record Logged(long position, long previous, Version version) {}
