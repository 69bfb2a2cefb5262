//! How far a text is from words: random characters tell themselves by the pairs they stand in.

/// For each pair of neighbours, how much likelier it is among random characters than in a name: `4` is as likely,
/// each step up is twice as likely, each step down half. Rows are the first of the pair, columns the second, both in
/// the order of [`place`].
///
/// Counted once: names of packages, identifiers and the words of this project's documents, in the usual ways to
/// write them, against characters drawn at random from letters and digits.
const PAIRS: [&[u8; 28]; 28] = [
    b"3343344554654354364235556776",
    b"6743376373852327282224656568",
    b"4255426662682562583353777488",
    b"6275425823822671383424788587",
    b"4236315572445562584364778488",
    b"4353345586863426461235454688",
    b"5276633371872572683433877488",
    b"4365617442884442582354878688",
    b"4166617772876571674534878488",
    b"5442334487863312474227485858",
    b"6065527763656573566262757778",
    b"3365516562865554585254378586",
    b"4265416681863572587343688488",
    b"5143516482874462376344888488",
    b"4363325273755643686225487588",
    b"5553375475653313382433545788",
    b"5275527442862673382334858187",
    b"6265677785880686575241868888",
    b"4264316582845452585334488488",
    b"4474427743845454435314568588",
    b"4265616532874672583444867488",
    b"7334336483873326382228746877",
    b"5273607681876673586566888685",
    b"5266326732875632683257877785",
    b"3353536663874475375515776485",
    b"3354445565864434365225667868",
    b"5255506643655543566553866337",
    b"3565566777786557586367787883",
];

/// What `4` in the table means.
const EVEN: i32 = b'4' as i32;

/// The edge of a word: where a text starts and ends, at punctuation, and at a hump such as `sD` in `OrdersDb`.
const EDGE: usize = 0;

/// How much likelier `text` is to be random characters than words, in bits: zero where both are as likely.
///
/// Twenty random letters and digits score about 25, fewer than one in twenty of them less than 10; a name scores
/// less than zero, and hardly ever more than 10.
pub(super) fn randomness(text: &str) -> i32 {
    let mut total = 0;
    let mut last = EDGE;
    let mut step = |next: usize| {
        let row = PAIRS.get(last).and_then(|row| row.get(next));
        // One edge behind another is one edge.
        if (last, next) != (EDGE, EDGE) {
            total += row.map_or(0, |weight| i32::from(*weight) - EVEN);
        }
        last = next;
    };
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + 1);
        let is_hump = byte.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(u8::is_ascii_lowercase))
            });
        if is_hump {
            step(EDGE);
        }
        step(place(*byte));
    }
    step(EDGE);
    total
}

/// The row and the column of a byte: the edge, the letters without regard to case, any digit.
fn place(byte: u8) -> usize {
    match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => usize::from(letter - b'a') + 1,
        b'0'..=b'9' => 27,
        _ => EDGE,
    }
}
