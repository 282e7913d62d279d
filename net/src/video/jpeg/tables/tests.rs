use super::*;

#[test]
fn q_fifty_is_the_table_of_the_standard_in_zig_zag_order() {
    let [luma, chroma] = computed(50).unwrap();
    assert_eq!(luma[..12], [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17]);
    assert_eq!(chroma[..12], [17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66]);
    assert_eq!(luma[63], 99);
}

#[test]
fn q_scales_and_saturates() {
    assert_eq!(computed(1).unwrap()[0], [255; 64]);
    assert_eq!(computed(99).unwrap()[0][..4], [1, 1, 1, 1]);
    assert_eq!(computed(25).unwrap()[0][..3], [32, 22, 24]);
    assert_eq!(computed(0), None);
    assert_eq!(computed(100), None);
}

#[test]
fn every_q_is_known_by_its_tables() {
    for q in 1..=99 {
        let known = q_of(&computed(q).unwrap()).unwrap();
        assert_eq!(computed(known), computed(q));
    }
    assert_eq!(q_of(&[[7; 64], [7; 64]]), None);
}

#[test]
fn the_huffman_tables_are_complete() {
    for table in &HUFFMAN {
        let codes: usize = table.lengths.iter().map(|&count| usize::from(count)).sum();
        assert_eq!(codes, table.symbols.len());
        // Kraft: only the code of all ones is left over.
        let room: u32 = (1..).zip(table.lengths).map(|(bits, n)| u32::from(n) << (16 - bits)).sum();
        assert!(room < 1 << 16, "{room}");
    }
}
