"""How much of a source is read: enough for the archive of twenty years, and a bound on time and memory."""

MB = 1024 * 1024

MAX_ITEM = 9 * MB  # an article in an export or a feed, as it stands in the file; libxml2 takes texts of 10
MAX_HEADER = 1 * MB  # what an export or a feed says above its first article
MAX_JSON = 50 * MB  # JSON is read as a whole
MAX_NOTED = 50 * MB  # characters kept of the pictures that an export lists
MAX_DEPTH = 200  # elements within elements, of a file of XML

MAX_FILES = 50_000  # in a folder or a zip
MAX_DIRECTORY = 8 * MB  # the list of files of a zip
MAX_NAME = 1_000  # characters of the path of a file
MAX_FOLDERS = 40  # within folders
MAX_UNPACKED = 20 * 1024 * MB  # all of a zip together
MAX_RATIO = 200  # times a packed file may grow; text grows 5 to 40 times
RATIO_COUNTS_FROM = 5 * MB  # of a file that is smaller it does no harm
MAX_PICTURE = 30 * MB

MAX_WORD_TEXT = 10 * MB  # the text of a Word file, unpacked; a long novel has 5
MAX_WORD_ELEMENTS = 60_000  # a long article has 10,000
